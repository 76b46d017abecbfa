package main

import (
	"fmt"
	"io"
	"net"
	"os"
)

// serveRaw is the physical limit to compare with: it sends the file source to clients of the first port, and stores
// what clients of the second port send into the file target, without any protocol. Go's io.Copy is a loop of sendfile
// or splice here. The third port is for small files: see serveRawFiles.
func serveRaw(down, up, files, source, target string) error {
	var listeners []net.Listener
	for _, address := range []string{files, up, down} { // the last one tells that the server runs
		l, err := net.Listen("tcp4", address)
		if err != nil {
			return err
		}
		listeners = append(listeners, l)
	}
	failed := make(chan error, len(listeners))
	go func() { failed <- serveRawFiles(listeners[0], source) }()
	go func() { failed <- each(listeners[1], func(conn *net.TCPConn) error { return storeAll(target, conn) }) }()
	go func() { failed <- each(listeners[2], func(conn *net.TCPConn) error { return sendAll(conn, source) }) }()
	return <-failed
}

// each serves the connections of a listener concurrently.
func each(l net.Listener, serve func(*net.TCPConn) error) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			if err := serve(conn.(*net.TCPConn)); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			_ = conn.Close()
		}()
	}
}

func sendAll(conn *net.TCPConn, source string) error {
	f, err := os.Open(source)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it was only read
	_, err = io.Copy(conn, f)
	return err
}

func storeAll(target string, conn *net.TCPConn) error {
	f, err := os.Create(target)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, conn)
	if err2 := f.Close(); err == nil {
		err = err2
	}
	return err
}
