// Command relay makes a pod's network available to a test outside of the cluster: the test runs it by `kubectl exec`
// and communicates through its standard input and output.
//
//	relay dial HOST:PORT    connects within 3 s, prints "connected LOCAL-ADDRESS", then relays
//	relay listen            listens on the pod's address, prints it, relays the first connection
//	relay serve PORT...     accepts and at once ends every connection to these ports
//	relay pause             waits for a signal: what the pod itself runs
//
// It ends with status 1 and a line on standard error when the connection can't be made.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	dialTimeout   = 3 * time.Second
	acceptTimeout = 30 * time.Second
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "dial":
		return dial(args[1])
	case len(args) == 1 && args[0] == "listen":
		return listen()
	case len(args) > 1 && args[0] == "serve":
		return serve(args[1:])
	case len(args) == 1 && args[0] == "pause":
		ended := make(chan os.Signal, 1)
		signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
		<-ended
		return nil
	}
	return errors.New("usage: relay dial HOST:PORT | listen | serve PORT... | pause")
}

func dial(address string) error {
	conn, err := net.DialTimeout("tcp", address, dialTimeout)
	if err != nil {
		return err
	}
	fmt.Printf("connected %s\n", conn.LocalAddr())
	return relay(conn.(*net.TCPConn))
}

func listen() error {
	host, err := ownAddress()
	if err != nil {
		return err
	}
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: host})
	if err != nil {
		return err
	}
	fmt.Printf("listening %s\n", l.Addr())
	if err := l.SetDeadline(time.Now().Add(acceptTimeout)); err != nil {
		return err
	}
	conn, err := l.AcceptTCP()
	if err != nil {
		return err
	}
	return relay(conn)
}

func serve(ports []string) error {
	failed := make(chan error)
	for _, port := range ports {
		l, err := net.Listen("tcp", ":"+port)
		if err != nil {
			return err
		}
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					failed <- err
					return
				}
				_ = conn.Close()
			}
		}()
	}
	return <-failed
}

// ownAddress returns the first address that is not loopback: a pod has one interface.
func ownAddress() (net.IP, error) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			return n.IP, nil
		}
	}
	return nil, errors.New("this pod has no address")
}

// relay copies in both directions until the peer has ended its side. The end of standard input ends the local side,
// and the peer's answer to that is still read.
func relay(conn *net.TCPConn) error {
	go func() {
		// Errors are ignored: they show on the peer's side, which ends or answers what it received.
		_, _ = io.Copy(conn, os.Stdin)
		_ = conn.CloseWrite()
	}()
	_, err := io.Copy(os.Stdout, conn)
	return err
}
