package clients

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// ftpd is the daemon's binary, built once.
var ftpd string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ftpd-clients-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ftpd = filepath.Join(dir, "ftpd")
	cmd := exec.Command("go", "build", "-o", ftpd, "../../cmd/ftpd")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building ftpd: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// mode is how the data connection is made.
type mode string

const (
	pasv mode = "PASV"
	epsv mode = "EPSV"
	port mode = "PORT"
	eprt mode = "EPRT"
)

var modes = []mode{pasv, epsv, port, eprt}

// daemon is a running ftpd.
type daemon struct {
	host, port, root string
	log              *output
}

// start runs the daemon on an address until the test ends.
func start(t *testing.T, host string) *daemon {
	t.Helper()
	ports := ftptest.FreePorts(t, host, 9)
	d := &daemon{host: host, port: fmt.Sprint(ports[0]), root: t.TempDir(), log: &output{}}
	args := []string{"--root", d.root, "--user", "alice:secret", "--listen", net.JoinHostPort(host, d.port),
		"--passive-ports", ports[1:].String(), "--active", "--log-level", "debug"}
	if !strings.Contains(host, ":") {
		args = append(args, "--advertise", host)
	}
	cmd := exec.Command(ftpd, args...) //nolint:gosec // built above
	cmd.Stderr = d.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Process.Signal(syscall.SIGINT) // the second ends it at once; two of one kind could become one
		if err := <-exited; err != nil {
			t.Errorf("ftpd: %v", err)
		}
		if t.Failed() {
			t.Logf("ftpd's log:\n%s", d.log)
		}
	})
	ftptest.Eventually(t, "ftpd serves", func() bool {
		select {
		case err := <-exited:
			exited <- err
			t.Fatalf("ftpd ended: %v", err)
		default:
		}
		return strings.Contains(d.log.String(), "msg=serving")
	})
	return d
}

// output collects what a process writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// from returns what was written after the first n bytes.
func (o *output) from(n int) string { return o.String()[n:] }

// env is where one operation happens.
type env struct {
	*daemon
	mode  mode
	dir   string // the remote directory, relative to the home; it exists
	local string // a local directory, the client's working directory and HOME
}

// url is an address below the remote directory.
func (e env) url(name string) string {
	return "ftp://alice:secret@" + net.JoinHostPort(e.host, e.port) + "/" + e.dir + "/" + name
}

// active reports whether the daemon makes the data connection.
func (e env) active() bool { return e.mode == port || e.mode == eprt }

func (e env) ipv6() bool { return strings.Contains(e.host, ":") }

// remote and here are a file's path on the daemon's side and on the client's.
func (e env) remote(name string) string { return filepath.Join(e.root, e.dir, name) }
func (e env) here(name string) string   { return filepath.Join(e.local, name) }

// invocation is a call of a client.
type invocation struct {
	program string // if it is not the client's first
	args    []string
	stdin   string
}

// run calls the client's program and returns what it wrote, its errors included.
func (e env) run(t *testing.T, program string, in invocation) string {
	t.Helper()
	if in.program != "" {
		program = in.program
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, in.args...) //nolint:gosec // one of the clients
	cmd.Dir = e.local
	cmd.Env = append(os.Environ(), "HOME="+e.local, "LC_ALL=C.UTF-8", "no_proxy=*")
	cmd.Stdin = strings.NewReader(in.stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s %q: %v\n%s%s", program, in.args, err, in.stdin, out)
	}
	return string(out)
}

// random returns bytes that differ from run to run in nothing but seed, lines included.
func random(seed uint64, size int) []byte {
	b := make([]byte, size)
	var key [32]byte
	key[0] = byte(seed)
	_, _ = rand.NewChaCha8(key).Read(b)
	return b
}

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// same fails the test unless the file has the content, by SHA-256.
func same(t *testing.T, file string, content []byte) {
	t.Helper()
	got, err := os.ReadFile(file) //nolint:gosec // the test's own
	if err != nil {
		t.Error(err)
		return
	}
	if sha256.Sum256(got) != sha256.Sum256(content) {
		t.Errorf("%s has %d bytes with SHA-256 %x, want %d with %x", filepath.Base(file), len(got), sha256.Sum256(got), len(content), sha256.Sum256(content))
	}
}

func exists(file string) bool {
	_, err := os.Lstat(file)
	return err == nil
}
