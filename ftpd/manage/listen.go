package manage

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
)

// unixPrefix is the prefix of the address of a Unix socket.
const unixPrefix = "unix:"

// CheckAddress returns an error if the address is not one for Listen.
func CheckAddress(address string) error {
	if file, ok := strings.CutPrefix(address, unixPrefix); ok {
		if file == "" {
			return errors.New("the file of the socket is missing: write it as unix:/run/ftpd.sock")
		}
		return nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q: write it as 127.0.0.1:8022, or unix:/run/ftpd.sock", address)
	}
	if !isLoopback(host) {
		return fmt.Errorf("%q is not on loopback, and the API asks nobody for a password: write 127.0.0.1:PORT, and reach it by kubectl port-forward or ssh -L", address)
	}
	return nil
}

// Listen listens on HOST:PORT, where HOST is a loopback address or localhost, or on unix:FILE. Only the user of the
// process can connect to the Unix socket. Listen replaces a socket that an earlier process has left behind.
func Listen(address string) (net.Listener, error) {
	if err := CheckAddress(address); err != nil {
		return nil, err
	}
	file, ok := strings.CutPrefix(address, unixPrefix)
	if !ok {
		return net.Listen("tcp", address)
	}
	l, err := listenUnix(file)
	if errors.Is(err, syscall.EADDRINUSE) && abandoned(file) {
		if err := os.Remove(file); err != nil {
			return nil, err
		}
		l, err = listenUnix(file)
	}
	return l, err
}

// listenUnix creates the socket with its final mode: if the mode were set later, other users could connect in
// between. Linux uses the mode that the socket has before it gets its name.
func listenUnix(file string) (net.Listener, error) {
	private := net.ListenConfig{Control: func(_, _ string, conn syscall.RawConn) error {
		var failed error
		err := conn.Control(func(fd uintptr) { failed = syscall.Fchmod(int(fd), 0o600) }) //nolint:gosec // a descriptor
		return errors.Join(err, failed)
	}}
	return private.Listen(context.Background(), "unix", file)
}

// abandoned reports whether file is a socket on which no process listens.
func abandoned(file string) bool {
	info, err := os.Lstat(file)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return false
	}
	conn, err := net.Dial("unix", file)
	if err == nil {
		_ = conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
