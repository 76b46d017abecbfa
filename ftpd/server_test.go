package ftpd_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

func TestReload(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	before := s.Status().ConfigHash

	if err := s.Edit(t, func(c *config.Config) {
		c.Greeting = "Welcome"
		c.Users = append(c.Users, ftptest.User("bob", "bob", config.AccessReadWrite))
	}); err != nil {
		t.Fatal(err)
	}
	file, _ := s.Config.Marshal()
	if st := s.Status(); st.ConfigHash == before || st.ConfigHash != config.Hash(file) {
		t.Errorf("status: %+v", st)
	}
	c.Must("PWD", "257")
	ftptest.Dial(t, s.Addr).Talk(`S: 220 Welcome`)
	ftptest.Login(t, s.Addr, "bob").Must("MKD x", "257")
	if _, err := os.Stat(filepath.Join(s.Root, "bob", "x")); err != nil {
		t.Error(err)
	}

	bad := []byte("apiVersion: " + config.APIVersion + "\nnonsense: true\n")
	if err := s.Reload(bad); err == nil || !strings.Contains(err.Error(), "storage.root") {
		t.Errorf("a bad file: %v", err)
	}
	if st := s.Status(); st.ConfigHash != config.Hash(file) || st.RejectedHash != config.Hash(bad) || st.ConfigError == "" {
		t.Errorf("status: %+v", st)
	}
	ftptest.Login(t, s.Addr, "bob").Must("PWD", "257")

	if err := s.Reload(file); err != nil {
		t.Error(err)
	}
	if st := s.Status(); st.RejectedHash != "" || st.ConfigError != "" {
		t.Errorf("status: %+v", st)
	}
}

func TestReloadStatic(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	serving := s.Status().ConfigHash
	original := s.Config
	for field, edit := range map[string]func(*config.Config){
		"listen":        func(c *config.Config) { c.Listen = []string{"127.0.0.1:2222"} },
		"adminAddress":  func(c *config.Config) { c.AdminAddress = "127.0.0.1:8021" },
		"storage.root":  func(c *config.Config) { c.Storage.Root = "/tmp" },
		"passive.ports": func(c *config.Config) { c.Passive.Ports = config.NewPortSet(2000) },
	} {
		s.Config = original
		if err := s.Edit(t, edit); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if st := s.Status(); st.ConfigHash != serving || !st.Ready {
		t.Errorf("status: %+v", st)
	}
}

// A user who is removed must lose the running transfer, and the session with the next command.
func TestUserRemoved(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	busy, idle, other := ftptest.Login(t, s.Addr, "alice"), ftptest.Login(t, s.Addr, "alice"), ftptest.Login(t, s.Addr, "reader")
	data := stalled(t, s, busy)
	upload := idle.Data()
	idle.Must("STOR half", "150")
	_, _ = io.WriteString(upload, "half")
	if err := s.Edit(t, func(c *config.Config) { c.Users = c.Users[1:] }); err != nil {
		t.Fatal(err)
	}
	busy.Talk(`
		S: 426 *account*
		C: NOOP
		S: 421 *account*
		S: EOF`)
	// The connection must end in an orderly way, though not all was sent: the reply says so.
	if _, err := io.Copy(io.Discard, data); err != nil {
		t.Errorf("the data connection ended with %v", err)
	}
	idle.Talk(`
		S: 426 *account*
		C: QUIT
		S: 421 *
		S: EOF`)
	if got := s.Read(t, "half"); got != "(absent)" {
		t.Errorf("published %q", got)
	}
	other.Must("PWD", "257")
	ftptest.Dial(t, s.Addr).Talk(`
		S: 220 *
		C: USER alice
		S: 331 *
		C: PASS secret
		S: 530 *`)
}

func TestUserMoved(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	if err := s.Edit(t, func(c *config.Config) { c.Users[0].Home = "elsewhere" }); err != nil {
		t.Fatal(err)
	}
	c.Talk(`
		C: PWD
		S: 421 *
		S: EOF`)
}

func TestPasswordChanged(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	if err := s.Edit(t, func(c *config.Config) {
		// The hash of "other".
		c.Users[0].PasswordHash = "$2a$04$R9pRFjvYcmZ5gIaqSkMPW.P4q0gG2jzFOQJqT3EWZ9xC2tPEAyXri"
	}); err != nil {
		t.Fatal(err)
	}
	c.Must("PWD", "257") // open sessions must continue
	ftptest.Dial(t, s.Addr).Talk(`
		S: 220 *
		C: USER alice
		S: 331 *
		C: PASS secret
		S: 530 *`)
}

// begin calls Shutdown, and waits until new sessions are refused.
func begin(ctx context.Context, t *testing.T, s *ftptest.Server) <-chan error {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(ctx) }()
	ftptest.Eventually(t, "new sessions are refused", func() bool { return refused(t, s) })
	return ended
}

// refused reports whether a new session is refused because the server shuts down.
func refused(t *testing.T, s *ftptest.Server) bool {
	t.Helper()
	c := ftptest.Dial(t, s.Addr)
	line, err := c.Line()
	_ = c.Close()
	return err == nil && strings.HasPrefix(line, "421 Service not available: the server is shutting down")
}

// A drain must end idle sessions, and let busy ones continue, including their next transfers.
func TestDrain(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	idle, busy := ftptest.Login(t, s.Addr, "alice"), ftptest.Login(t, s.Addr, "alice")
	data := busy.Data()
	busy.Must("STOR one", "150")
	_, _ = io.WriteString(data, "one")
	ended := begin(t.Context(), t, s)
	if st := s.Status(); st.Ready || st.Reason != "draining" || !st.Draining {
		t.Errorf("status: %+v", st)
	}
	idle.Talk(`
		S: 421 *shutting down*
		S: EOF`)
	_ = data.Close()
	busy.Talk(`S: 226 *`)
	if reply := busy.Put("STOR two", "two"); reply[:3] != "226" {
		t.Error(reply)
	}
	busy.Talk(`
		S: 421 *shutting down*
		S: EOF`)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if s.Read(t, "one") != "one" || s.Read(t, "two") != "two" {
		t.Error("an upload during the drain was lost")
	}
	if _, err := net.Dial("tcp", s.Addr); err == nil {
		t.Error("the control port is still open")
	}
	if err := s.Shutdown(t.Context()); !errors.Is(err, ftpd.ErrServerClosed) {
		t.Errorf("a second Shutdown: %v", err)
	}
}

// While routing catches up, new sessions must be served although the server is not ready.
func TestLameDuck(t *testing.T) {
	t.Parallel()
	long := config.Duration(5 * time.Minute)
	s := ftptest.Start(t, func(c *config.Config) { c.Drain.LameDuck = &long })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(ctx) }()
	ftptest.Eventually(t, "not ready", func() bool { return s.Ready() == "draining" })
	c := ftptest.Login(t, s.Addr, "alice")
	if reply := c.Put("STOR file", "x"); reply[:3] != "226" {
		t.Error(reply)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	c.Talk(`
		S: 421 *
		S: EOF`)
}

// A session that routing has led here during the lame-duck phase must be like any other: its transfer must be
// completed after new sessions are refused, and so must its next transfer.
func TestLateSessionIsServed(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Drain.LameDuck = new(config.Duration(10 * time.Second)) })
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(t.Context()) }()
	ftptest.Eventually(t, "not ready", func() bool { return s.Ready() == "draining" })
	late := ftptest.Login(t, s.Addr, "alice")
	data := late.Data()
	late.Must("STOR one", "150")
	_, _ = io.WriteString(data, "o")
	ftptest.Eventually(t, "new sessions are refused", func() bool { return refused(t, s) })
	_, _ = io.WriteString(data, "ne")
	_ = data.Close()
	late.Talk(`S: 226 *`)
	if reply := late.Put("STOR two", "two"); reply[:3] != "226" {
		t.Error(reply)
	}
	late.Talk(`
		S: 421 *shutting down*
		S: EOF`)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if s.Read(t, "one") != "one" || s.Read(t, "two") != "two" {
		t.Error("an upload of a late session was lost")
	}
}

// When the grace period is over, the remaining sessions must be cut, with replies.
func TestDrainGrace(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Drain.Grace = config.Duration(2 * time.Second) })
	c := ftptest.Login(t, s.Addr, "alice")
	data := c.Data()
	c.Must("STOR half", "150")
	_, _ = io.WriteString(data, "half")
	ended := begin(t.Context(), t, s)
	c.Talk(`
		S: 426 *shutting down*
		S: 421 *
		S: EOF`)
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "cut: 1:") {
		t.Errorf("Shutdown: %v", err)
	}
	if got := s.Read(t, "half"); got != "(absent)" {
		t.Errorf("published %q", got)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	_ = stalled(t, s, c)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	c.Talk(`
		S: 426 *
		S: 421 *
		S: EOF`)
	l := listen(t, "127.0.0.1:0")
	if err := s.Serve(l); !errors.Is(err, ftpd.ErrServerClosed) {
		t.Errorf("Serve after Close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

// Until its ports are known the daemon must say so; the ports that it reads first must stay.
func TestPortsFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "passive-ports")
	ports := ftptest.FreePorts(t, "127.0.0.1", 3)
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := ftptest.Start(t, func(c *config.Config) { c.Passive.Ports, c.Passive.PortsFile = nil, file })
	refused := func(reason string) {
		t.Helper()
		ftptest.Eventually(t, "the reason "+reason, func() bool { return strings.Contains(s.Ready(), reason) })
		ftptest.Dial(t, s.Addr).Talk(`
			S: 421 *` + reason + `*
			S: EOF`)
	}
	refused("waiting for the passive ports")
	write("")
	refused("waiting for the passive ports")
	write("3000-nonsense")
	refused("nonsense")
	write(ports.String() + "\n")
	ftptest.Eventually(t, "ready", func() bool { return s.Ready() == "" })
	c := ftptest.Login(t, s.Addr, "alice")
	if reply := c.Put("STOR file", "x"); reply[:3] != "226" {
		t.Error(reply)
	}
	write("40000-40010")
	if got := s.Status().PassivePorts; !got.Equal(ports) {
		t.Errorf("holds %v, want %v", got, ports)
	}
}

func TestRequireAddress(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Passive.RequireAddress = true })
	ftptest.Dial(t, s.Addr).Talk(`
		S: 421 *address*
		S: EOF`)
	if err := s.Edit(t, func(c *config.Config) { c.Passive.AdvertisedAddress = "127.0.0.1" }); err != nil {
		t.Fatal(err)
	}
	ftptest.Login(t, s.Addr, "alice").PasvAddr()
}

// A port that another process holds must cause an error that names it, and leave nothing open.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	taken := listen(t, "127.0.0.1:0")
	c := config.Config{APIVersion: config.APIVersion, Listen: []string{"127.0.0.1:0"}, Storage: config.Storage{Root: t.TempDir()}}
	c.Listen = []string{"127.0.0.1:2121"}
	c.Passive.Ports = config.NewPortSet(uint16(port(taken))) //nolint:gosec // a port
	file, err := c.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ftpd.New(loaded, ftpd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t, "127.0.0.1:0")
	if err := s.Serve(l); err == nil || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Errorf("Serve: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestAdmin(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Passive.RequireAddress = true })
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	if code, body := get("/healthz"); code != 200 {
		t.Errorf("/healthz: %d %q", code, body)
	}
	if code, body := get("/readyz"); code != 503 || !strings.Contains(body, "address") {
		t.Errorf("/readyz: %d %q", code, body)
	}
	if err := s.Edit(t, func(c *config.Config) { c.Passive.AdvertisedAddress = "192.0.2.1" }); err != nil {
		t.Fatal(err)
	}
	if code, body := get("/readyz"); code != 200 {
		t.Errorf("/readyz: %d %q", code, body)
	}
	c := ftptest.Login(t, s.Addr, "alice")
	_ = stalled(t, s, c)
	var st config.Status
	code, body := get("/status")
	if err := json.Unmarshal([]byte(body), &st); code != 200 || err != nil {
		t.Fatalf("/status: %d %q %v", code, body, err)
	}
	if !st.Ready || st.Sessions != 1 || st.Transfers != 1 || st.AdvertisedIP != "192.0.2.1" || !st.PassivePorts.Equal(s.Config.Passive.Ports) {
		t.Errorf("/status: %+v", st)
	}
	if strings.Contains(body, "$2a$") {
		t.Error("/status tells a hash")
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/status", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST /status: %d", w.Code)
	}
}
