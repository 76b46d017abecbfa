package ftpd_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// A program serves the files below a directory, and ends without cutting what works.
func ExampleServer() {
	root, err := os.MkdirTemp("", "ftpd-example-")
	if err != nil {
		log.Fatal(err)
	}
	loaded, err := config.Load(fmt.Appendf(nil, `
apiVersion: %s
greeting: Hello
storage: {root: %q}
passive: {ports: "%d"}
drain: {lameDuck: 0s}
users:
- name: alice
  access: ReadWrite
  passwordHash: $argon2id$v=19$m=19456,t=2,p=1$oB+lC0X7pvAUtWMPmDJvoQ$56RVa99a8y5UCpSCLdoPELfy7RYaw3CDi6vtCi53yoQ
`, config.APIVersion, root, freePort()))
	if err != nil {
		log.Fatal(err) // names every field that is wrong
	}
	server, err := ftpd.New(loaded, ftpd.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := ftpd.Listen("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	greeting, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		log.Fatal(err)
	}
	_ = conn.Close()
	fmt.Println(strings.TrimSpace(greeting))

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	err = server.Shutdown(ctx)
	cancel()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(errors.Is(<-served, ftpd.ErrServerClosed))
	_ = os.RemoveAll(root)
	// Output:
	// 220 Hello
	// true
}

// freePort is a port of this machine that was free a moment ago, on all addresses: the server binds it on all, too, and one
// that is free on a single address may still be taken on others, by connections that have just ended.
func freePort() int {
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}
