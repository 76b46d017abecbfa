// Package proxy reads PROXY protocol headers, versions 1 and 2, from connections. It reads them from trusted peers
// only, within a time limit, and without reading a byte beyond the header, so that the bare TCP connection can be
// passed on to sendfile and splice. Start reading at Reader.Identify (origin.go). The package imports config and
// socket of this module.
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
	// prelude is the number of bytes that are read first. No header is shorter, and they identify its version.
	prelude = 12
	// fixed is the length of the part of a version 2 header that contains the length of the rest.
	fixed = 16
	// maxV1 is the length of the longest version 1 header, its line end included.
	maxV1 = 107
	// maxV2 bounds the rest of a version 2 header: the addresses, and fields of the proxy.
	maxV2 = 4096
)

// ErrNoHeader means that a connection does not start with a header.
var ErrNoHeader = errors.New("no PROXY protocol header")

// Header is what a proxy reports about a connection.
type Header struct {
	// Local means that the proxy has made the connection for itself, such as for a health check; there are no
	// addresses.
	Local bool
	// Source is the client; Destination is the address that it connected to. IPv4 addresses are never mapped into
	// IPv6.
	Source, Destination netip.AddrPort
}

// ReadHeader reads a header from the start of a connection, and no byte beyond it. After an error the connection is
// of no further use, since any part of it may have been read. Errors: ErrNoHeader; an error for a header that is
// malformed or is not for a TCP connection; and errors of r.
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

// begins reports whether p may be the start of a header.
func begins(p []byte) bool {
	return len(p) > 0 && (bytes.HasPrefix(proxyproto.SIGV2, p) || bytes.HasPrefix(p, proxyproto.SIGV1) || bytes.HasPrefix(proxyproto.SIGV1, p))
}

// readV1 reads to the end of the line, byte by byte: what follows is not part of the header.
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

// readV2 reads as many bytes as the header announces.
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

// parse parses a complete header.
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
