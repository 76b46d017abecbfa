package manage_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/manage"
)

func TestListenAddresses(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"127.0.0.1:0":       "",
		"localhost:0":       "",
		"[::1]:8022":        "",
		"127.1.2.3:8022":    "",
		"unix:/run/x.sock":  "",
		"unix:":             "unix:/run/ftpd.sock",
		"8022":              "127.0.0.1:8022",
		":8022":             "loopback",
		"0.0.0.0:8022":      "loopback",
		"192.0.2.7:8022":    "loopback",
		"example.com:8022":  "loopback",
		"[fe80::1%lo]:8022": "loopback",
	} {
		err := manage.CheckAddress(address)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := manage.Listen("0.0.0.0:0"); err == nil {
		t.Error("listens to the world")
	}
}

// Only the owner must have access to the socket, from its creation on. The host name in a request must not matter on
// it. Listen must replace a socket that a process has left behind, and no other file.
func TestUnixSocket(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "ftpd") //nolint:usetesting // the name of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "s")
	left, err := net.Listen("unix", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := manage.Listen("unix:" + file); err == nil {
		t.Fatal("took the socket of a process that lives")
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = left.Close()
	l, err := manage.Listen("unix:" + file)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	s := ftptest.Start(t)
	api := &httptest.Server{Listener: l, Config: &http.Server{Handler: manage.Handler(s.Server, func() {})}}
	api.Start()
	defer api.Close()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", file)
	}}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://ftpd/v1/status")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	_ = resp.Body.Close()

	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := manage.Listen("unix:" + plain); err == nil {
		t.Error("replaced a file")
	}
}
