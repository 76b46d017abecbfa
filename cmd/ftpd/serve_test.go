package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/manage"
)

// daemon is the program, running inside the test.
type daemon struct {
	signals chan os.Signal
	exit    chan int
	stderr  *ftptest.Log
}

// start runs the program with these arguments, and waits until it serves addr.
func start(t *testing.T, addr string, args ...string) *daemon {
	t.Helper()
	d := &daemon{signals: make(chan os.Signal, 2), exit: make(chan int, 1), stderr: &ftptest.Log{}}
	go func() { d.exit <- run(t.Context(), args, d.signals, d.stderr, d.stderr) }()
	t.Cleanup(func() {
		d.signals <- syscall.SIGTERM
		d.signals <- syscall.SIGTERM
		d.exit <- <-d.exit
	})
	ftptest.Eventually(t, "the daemon serves", func() bool {
		if len(d.exit) > 0 {
			t.Fatalf("ended: %s", d.stderr)
		}
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return d
}

// ports returns a free control port and free passive ports.
func ports(t *testing.T) (addr, passive string) {
	t.Helper()
	free := ftptest.FreePorts(t, "127.0.0.1", 4)
	return fmt.Sprintf("127.0.0.1:%d", free[0]), free[1:].String()
}

func TestStandalone(t *testing.T) {
	t.Parallel()
	addr, passive := ports(t)
	root := t.TempDir()
	d := start(t, addr, "--root", root, "--user", "alice:secret", "--user", "bob:secret",
		"--listen", addr, "--passive-ports", passive, "--advertise", "127.0.0.1")
	if reply := ftptest.Login(t, addr, "alice").Put("STOR file", "content"); reply[:3] != "226" {
		t.Fatal(reply)
	}
	if got := ftptest.Login(t, addr, "bob").Get("RETR file"); got != "content" {
		t.Errorf("got %q", got)
	}
	d.signals <- syscall.SIGHUP
	ftptest.Eventually(t, "SIGHUP is explained", func() bool { return strings.Contains(d.stderr.String(), "SIGHUP ignored") })
	if strings.Contains(d.stderr.String(), "secret") {
		t.Error("the password was logged")
	}
	d.signals <- syscall.SIGTERM
	d.signals <- syscall.SIGTERM
	if code := <-d.exit; code != 0 {
		t.Errorf("exit code %d", code)
	}
	d.exit <- 0
}

func TestConfigFile(t *testing.T) {
	t.Parallel()
	d := startConfigured(t, func(c *config.Config) { c.AdminAddress = freeAddr(t) }, "--log-format", "json")
	addr := d.Listen[0]
	ftptest.Login(t, addr, "alice").Must("QUIT", "221")

	d.Users = append(d.Users, ftptest.User("bob", ".", config.AccessReadWrite))
	d.write(d.Config)
	ftptest.Eventually(t, "the new user can log in", func() bool {
		conn := ftptest.Dial(t, addr)
		conn.Reply()
		conn.Must("USER bob", "331")
		reply := conn.Do("PASS " + ftptest.Password)
		_ = conn.Close()
		return reply[:3] == "230"
	})
	d.writeText([]byte("nonsense"))
	d.logged("configuration refused")
	d.signals <- syscall.SIGHUP
	ftptest.Login(t, addr, "bob").Must("QUIT", "221")

	resp, err := http.Get("http://" + d.AdminAddress + "/readyz")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("/readyz: %v, %v", resp, err)
	}
	if err == nil {
		_ = resp.Body.Close()
	}
	http.DefaultClient.CloseIdleConnections()

	d.signals <- syscall.SIGTERM // without sessions it ends by itself
	if code := <-d.exit; code != 0 {
		t.Errorf("exit code %d: %s", code, d.stderr)
	}
	d.exit <- 0
}

// A drain by the API must work like SIGTERM, and the signal that a kubelet sends afterwards must not count as a
// second one.
func TestDrainByAPI(t *testing.T) {
	t.Parallel()
	addr, passive := ports(t)
	root, api := t.TempDir(), freeAddr(t)
	d := start(t, addr, "--root", root, "--user", "alice:secret", "--listen", addr, "--passive-ports", passive,
		"--advertise", "127.0.0.1", "--api", api)
	c := ftptest.Login(t, addr, "alice")
	data := c.DialData(c.EpsvAddr())
	c.Must("STOR file", "150")
	for range 2 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+api+"/v1/drain", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(manage.Header, "yes")
		resp, err := http.DefaultClient.Do(r)
		if err != nil || resp.StatusCode != http.StatusAccepted {
			t.Fatal(resp, err)
		}
		_ = resp.Body.Close()
	}
	http.DefaultClient.CloseIdleConnections()
	ftptest.Eventually(t, "it drains", func() bool {
		return strings.Contains(d.stderr.String(), "management API") && strings.Contains(d.stderr.String(), "lameDuck")
	})
	d.signals <- syscall.SIGTERM
	if _, err := data.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	_ = data.Close()
	if reply := c.Reply(); reply[:3] != "226" {
		t.Error(reply)
	}
	c.Must("QUIT", "221")
	if code := <-d.exit; code != 0 {
		t.Errorf("exit code %d: %s", code, d.stderr)
	}
	d.exit <- 0
}

func freeAddr(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", ftptest.FreePorts(t, "127.0.0.1", 1)[0])
}

func TestStartFailures(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("apiVersion: other\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	addr, passive := ports(t)
	user := []string{"--root", t.TempDir(), "--user", "alice:secret", "--passive-ports", passive}
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"api port taken":     {append(user, "--listen", addr, "--api", l.Addr().String()), l.Addr().String()},
		"control port taken": {append(user, "--listen", l.Addr().String()), l.Addr().String()},
		"admin port taken":   {append(user, "--listen", addr, "--admin", l.Addr().String()), l.Addr().String()},
		"no such file":       {[]string{"--config", bad + ".none"}, "--config"},
		"bad file":           {[]string{"--config", bad}, "apiVersion"},
	} {
		var stderr bytes.Buffer
		if code := run(t.Context(), tt.args, nil, &stderr, &stderr); code != 1 || !strings.Contains(stderr.String(), tt.want) {
			t.Errorf("%s: %d, %q", name, code, stderr.String())
		}
	}
}
