package load

import (
	"fmt"
	"net/netip"
	"os"
)

// RawFetch connects and discards what it receives, which must be n bytes.
func RawFetch(from netip.AddrPort, n int64) error {
	conn, err := dial(from)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // all was read
	got, err := conn.discard(1 << 62)
	if err == nil && got != n {
		err = fmt.Errorf("%d of %d bytes came", got, n)
	}
	return err
}

// RawStore connects, sends the first n bytes of a file, and waits until the server closes the connection.
func RawStore(to netip.AddrPort, file string, n int64) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it was only read
	conn, err := dial(to)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // the other side has closed
	if err := conn.sendFile(f, n); err != nil {
		return err
	}
	if err := conn.closeWrite(); err != nil {
		return err
	}
	_, err = conn.discard(1 << 62)
	return err
}
