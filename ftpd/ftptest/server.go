// Package ftptest runs FTP servers on loopback sockets for tests, and talks to them in transcripts. Begin reading at
// Start and Client.Talk. Of this module the package imports ftpd and ftpd/config; only tests import it.
package ftptest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Password is the password of every user that Start creates.
const Password = "secret"

// hash returns the cheapest hash of Password that the daemon accepts.
var hash = sync.OnceValue(func() string {
	h, err := bcrypt.GenerateFromPassword([]byte(Password), bcrypt.MinCost)
	if err != nil {
		panic(err)
	}
	return string(h)
})

// User returns a user with Password.
func User(name, home string, access config.Access) config.User {
	return config.User{Name: name, PasswordHash: hash(), Home: home, Access: access}
}

// Server is a running server.
type Server struct {
	*ftpd.Server
	// Addr is the address of the control port, as host:port.
	Addr string
	// Root is the storage root, which is also the home of alice.
	Root string
	// Config is the configuration that the server was started with, with later edits.
	Config config.Config
	// Log holds what the server has logged, as text.
	Log *Log

	served chan error
}

// Start runs a server on 127.0.0.1 until the test ends. Its users are alice (ReadWrite; the home is the root), reader
// (ReadOnly; the same home) and dropper (UploadOnly; the same home). The edits change the configuration before the
// start.
func Start(t testing.TB, edits ...func(*config.Config)) *Server {
	t.Helper()
	return StartOn(t, "127.0.0.1", edits...)
}

// StartOn is like Start, on another address.
func StartOn(t testing.TB, host string, edits ...func(*config.Config)) *Server {
	t.Helper()
	return start(t, host, ftpd.Options{}, edits)
}

// StartWith is like Start, with options. The log is Server.Log, and failed logins are not delayed unless the options
// say so.
func StartWith(t testing.TB, options ftpd.Options, edits ...func(*config.Config)) *Server {
	t.Helper()
	return start(t, "127.0.0.1", options, edits)
}

func start(t testing.TB, host string, options ftpd.Options, edits []func(*config.Config)) *Server {
	t.Helper()
	none := config.Duration(0)
	s := &Server{Root: t.TempDir(), Log: &Log{}, served: make(chan error, 1)}
	s.Config = config.Config{
		APIVersion: config.APIVersion,
		Listen:     []string{net.JoinHostPort(host, "2121")}, // only the host matters, for the passive ports; Serve gets its own listener
		Storage:    config.Storage{Root: s.Root},
		Drain:      config.Drain{LameDuck: &none, Idle: config.Duration(time.Second)},
		Users: []config.User{
			User("alice", ".", config.AccessReadWrite),
			User("reader", ".", config.AccessReadOnly),
			User("dropper", ".", config.AccessUploadOnly),
		},
	}
	s.Config.Passive.Ports = FreePorts(t, host, 4)
	for _, edit := range edits {
		edit(&s.Config)
	}
	file, err := s.Config.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	options.Logger = slog.New(slog.NewTextHandler(s.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	options.FailureDelay = cmp.Or(options.FailureDelay, -1)
	loaded, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if s.Server, err = ftpd.New(loaded, options); err != nil {
		t.Fatal(err)
	}
	l, err := ftpd.Listen(net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = l.Addr().String()
	go func() { s.served <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-s.served; !errors.Is(err, ftpd.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
		if t.Failed() {
			t.Logf("server's log:\n%s", s.Log)
		}
	})
	if s.Config.Passive.PortsFile == "" {
		// The line is the last one about the start, so a test finds in the log whatever came before it.
		Eventually(t, "the passive ports are bound", func() bool { return s.Log.Lines("passive ports bound") != nil || s.ended() })
	}
	return s
}

// ServeTLS also serves implicit TLS, and returns the address.
func (s *Server) ServeTLS(t testing.TB) string {
	t.Helper()
	l, err := ftpd.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Server.ServeTLS(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-ended; !errors.Is(err, ftpd.ErrServerClosed) {
			t.Errorf("ServeTLS: %v", err)
		}
	})
	return l.Addr().String()
}

// ended reports whether Serve has returned too early. It keeps the error for the cleanup.
func (s *Server) ended() bool {
	select {
	case err := <-s.served:
		s.served <- err
		return true
	default:
		return false
	}
}

// Edit changes the configuration and reloads it.
func (s *Server) Edit(t testing.TB, edit func(*config.Config)) error {
	t.Helper()
	edit(&s.Config)
	file, err := s.Config.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return s.Reload(file)
}

// Write creates a file below the root.
func (s *Server) Write(t testing.TB, name, content string) {
	t.Helper()
	file := filepath.Join(s.Root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o640); err != nil { //nolint:gosec // a test's own directory
		t.Fatal(err)
	}
}

// Read returns the content of a file; "(absent)" if the file does not exist.
func (s *Server) Read(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(s.Root, name)) //nolint:gosec // a test's own directory
	if errors.Is(err, os.ErrNotExist) {
		return "(absent)"
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// Files lists the files in the root, including temporary ones.
func (s *Server) Files(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(s.Root)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// FreePorts returns n adjacent ports of a host that no process uses, below those that the kernel gives to sockets. No
// other test gets them, in this process or another, until the test ends.
func FreePorts(t testing.TB, host string, n int) config.PortSet {
	t.Helper()
	for range 200 {
		start := 20000 + rand.IntN(12000-n) //nolint:gosec // no secret
		ports := config.PortRange(uint16(start), uint16(start+n-1))
		release, ok := claim(ports)
		if ok && allFree(host, ports) {
			t.Cleanup(release)
			return ports
		}
		release()
	}
	t.Fatalf("found no %d free neighbouring ports on %s", n, host)
	return nil
}

// claim claims ports for this test: each one by an abstract Unix socket of its name, of which a machine has only one.
func claim(ports config.PortSet) (release func(), ok bool) {
	var claims []net.Listener
	release = func() {
		for _, l := range claims {
			_ = l.Close()
		}
	}
	for _, p := range ports {
		l, err := net.Listen("unix", fmt.Sprintf("@ftp-operator-test-port-%d", p))
		if err != nil {
			return release, false
		}
		claims = append(claims, l)
	}
	return release, true
}

func allFree(host string, ports config.PortSet) bool {
	for _, p := range ports {
		l, err := net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(p)))
		if errors.Is(err, syscall.EADDRINUSE) {
			return false
		}
		if err == nil {
			_ = l.Close()
		}
	}
	return true
}

// Eventually waits until the condition holds. It fails the test if that takes longer than Patience.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(Patience(t))
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

// Log collects the log of a server.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String returns the whole log.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Lines returns the lines that contain all of the given words.
func (l *Log) Lines(words ...string) []string {
	var found []string
lines:
	for line := range strings.Lines(l.String()) {
		for _, w := range words {
			if !strings.Contains(line, w) {
				continue lines
			}
		}
		found = append(found, line)
	}
	return found
}
