package clients

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// ftpd is the path of the daemon's binary, built once.
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
	// Use the distribution's clients, even if others come first in this user's PATH.
	if err := os.Setenv("PATH", "/usr/bin:/bin:"+os.Getenv("PATH")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f != nil && f.Value.String() == f.DefValue {
		_ = f.Value.Set("8") // clients spend most of their time waiting
	}
	return m.Run()
}

// mode is the way in which the data connection is made.
type mode string

const (
	pasv mode = "PASV"
	epsv mode = "EPSV"
	port mode = "PORT"
	eprt mode = "EPRT"
)

var modes = []mode{pasv, epsv, port, eprt}

// security is the way in which connections are protected.
type security string

const (
	plain    security = "plain"
	explicit security = "explicit TLS" // AUTH TLS, PROT P
	implicit security = "implicit TLS" // TLS from the first octet
)

var securities = []security{plain, explicit, implicit}

// env is the environment of one operation.
type env struct {
	*daemon
	mode     mode
	security security
	port     string // the control port
	ca       string // the file with the certificate of the authority to trust
	dir      string // the remote directory, relative to the home; it exists
	local    string // a local directory, the client's working directory and HOME
}

// url returns a URL below the remote directory; name is escaped already.
func (e env) url(scheme, name string) string {
	return scheme + "://alice:secret@" + net.JoinHostPort(e.host, e.port) + "/" + e.dir + "/" + name
}

// active reports whether the daemon opens the data connection.
func (e env) active() bool { return e.mode == port || e.mode == eprt }

// secure reports whether everything must be encrypted.
func (e env) secure() bool { return e.security != plain }

func (e env) ipv6() bool { return strings.Contains(e.host, ":") }

// remote and here return a file's path on the daemon's side and on the client's side.
func (e env) remote(name string) string { return filepath.Join(e.root, e.dir, name) }
func (e env) here(name string) string   { return filepath.Join(e.local, name) }

// invocation is a call of a client.
type invocation struct {
	program string // the program to call if it is not the client's first
	args    []string
	stdin   string
	env     []string
}

// run calls the client's program and returns its output, including standard error.
func (e env) run(t *testing.T, program string, in invocation) (string, error) {
	t.Helper()
	if in.program != "" {
		program = in.program
	}
	ctx, cancel := context.WithTimeout(t.Context(), ftptest.Patience(t))
	defer cancel()
	cmd := exec.CommandContext(ctx, program, in.args...) //nolint:gosec // one of the clients
	cmd.Dir = e.local
	cmd.Env = append(append(os.Environ(), "HOME="+e.local, "LC_ALL=C.UTF-8", "no_proxy=*"), in.env...)
	cmd.Stdin = strings.NewReader(in.stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %q: %w\n%s", program, in.args, err, in.stdin)
	}
	return string(out), err
}

// random returns pseudo-random bytes, line ends included, that depend on seed only.
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

// same fails the test unless the file has the content (compared by SHA-256).
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
