// Package proxy takes the PROXY protocol, versions 1 and 2, off connections: from trusted peers
// only, within a time, and without reading one byte beyond the header, so that the bare TCP
// connection can be handed on to sendfile and splice.
package proxy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

const (
	// prelude is read first: no header of either version is shorter, and it tells which it is.
	prelude = 12
	// fixed is the part of a header of version 2 that says how long the rest is.
	fixed = 16
	// maxV1 is the longest header of version 1, line end included.
	maxV1 = 107
	// maxV2 bounds the rest of a header of version 2: addresses, and the proxy's own fields.
	maxV2 = 4096
)

// ErrNoHeader is a connection that does not begin with a header.
var ErrNoHeader = errors.New("no PROXY protocol header")

// Header is what a proxy says of a connection.
type Header struct {
	// Local is a connection of the proxy itself, such as a health check; there are no addresses.
	Local bool
	// Source is the client; Destination is the address that it connected to. IPv4 as such.
	Source, Destination netip.AddrPort
}

// ReadHeader reads a header from the beginning of a connection, exactly. With an error it may have
// read anything, and the connection is of no further use. Errors: ErrNoHeader, others for a
// header that is malformed or of another transport than TCP, the reader's.
func ReadHeader(r io.Reader) (Header, error) {
	raw := make([]byte, prelude, fixed+256)
	if n, err := io.ReadFull(r, raw); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) && !begins(raw[:n]) {
			err = ErrNoHeader
		}
		return Header{}, fmt.Errorf("read the PROXY protocol header: %w", err)
	}
	var err error
	switch {
	case bytes.Equal(raw, proxyproto.SIGV2):
		raw, err = readV2(r, raw)
	case bytes.HasPrefix(raw, proxyproto.SIGV1):
		raw, err = readV1(r, raw)
	default:
		err = ErrNoHeader
	}
	if err != nil {
		return Header{}, fmt.Errorf("read the PROXY protocol header: %w", err)
	}
	return parse(raw)
}

// begins reports whether what was read may be the beginning of a header.
func begins(p []byte) bool {
	return len(p) > 0 && (bytes.HasPrefix(proxyproto.SIGV2, p) || bytes.HasPrefix(p, proxyproto.SIGV1) || bytes.HasPrefix(proxyproto.SIGV1, p))
}

// readV1 reads up to the line's end, byte by byte: what follows belongs to somebody else.
func readV1(r io.Reader, raw []byte) ([]byte, error) {
	for !bytes.HasSuffix(raw, []byte("\r\n")) {
		if len(raw) == maxV1 {
			return nil, fmt.Errorf("its line is longer than %d bytes", maxV1)
		}
		raw = append(raw, 0)
		if _, err := io.ReadFull(r, raw[len(raw)-1:]); err != nil {
			return nil, err
		}
	}
	if bytes.IndexByte(raw, '\n') != len(raw)-1 {
		return nil, errors.New("its line is malformed")
	}
	return raw, nil
}

// readV2 reads as much as the header says.
func readV2(r io.Reader, raw []byte) ([]byte, error) {
	raw = raw[:fixed]
	if _, err := io.ReadFull(r, raw[prelude:]); err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint16(raw[fixed-2:]))
	if length > maxV2 {
		return nil, fmt.Errorf("it announces %d bytes, more than %d", length, maxV2)
	}
	raw = append(raw, make([]byte, length)...)
	_, err := io.ReadFull(r, raw[fixed:])
	return raw, err
}

// parse reads a whole header.
func parse(raw []byte) (Header, error) {
	h, err := proxyproto.Read(bufio.NewReaderSize(bytes.NewReader(raw), len(raw)))
	if err != nil {
		return Header{}, fmt.Errorf("PROXY protocol header: %w", err)
	}
	if h.Command.IsLocal() {
		return Header{Local: true}, nil
	}
	source, destination, ok := h.TCPAddrs()
	if !ok {
		return Header{}, errors.New("PROXY protocol header: not of a TCP connection")
	}
	found := Header{Source: addrPort(source), Destination: addrPort(destination)}
	if bad(found.Source.Addr()) || bad(found.Destination.Addr()) || found.Source.Addr().Is4() != found.Destination.Addr().Is4() {
		return Header{}, fmt.Errorf("PROXY protocol header: no connection is from %s to %s", found.Source, found.Destination)
	}
	return found, nil
}

// bad reports whether no TCP connection can have the address.
func bad(a netip.Addr) bool { return !a.IsValid() || a.IsUnspecified() || a.IsMulticast() }

func addrPort(a *net.TCPAddr) netip.AddrPort {
	ap := a.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
