package manage_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
	"github.com/ftp-operator/ftp-operator/ftpd/manage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// managed is a server with its API.
type managed struct {
	*ftptest.Server
	api    *httptest.Server
	drains atomic.Int32
}

func start(t *testing.T, edits ...func(*config.Config)) *managed {
	t.Helper()
	m := &managed{Server: ftptest.Start(t, edits...)}
	m.api = httptest.NewServer(manage.Handler(m.Server.Server, func() { m.drains.Add(1) }))
	t.Cleanup(m.api.Close)
	return m
}

// ask sends a request like a command in a shell would, and decodes the answer into body.
func (m *managed) ask(t *testing.T, method, path string, body any) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, m.api.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(manage.Header, "yes")
	resp, err := m.api.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		if err := json.Unmarshal(text, body); err != nil {
			t.Fatalf("%s %s: %v: %s", method, path, err, text)
		}
	}
	return resp.StatusCode
}

// sessions returns the sessions that the API lists.
func (m *managed) sessions(t *testing.T) []ftpd.SessionInfo {
	t.Helper()
	var body struct{ Sessions []ftpd.SessionInfo }
	if code := m.ask(t, "GET", "/v1/sessions", &body); code != http.StatusOK {
		t.Fatal(code)
	}
	return body.Sessions
}

// eventually waits until the only session is as wanted.
func (m *managed) eventually(t *testing.T, what string, want func(ftpd.SessionInfo) bool) ftpd.SessionInfo {
	t.Helper()
	var last []ftpd.SessionInfo
	defer func() {
		if t.Failed() {
			t.Logf("%+v", last)
		}
	}()
	ftptest.Eventually(t, what, func() bool {
		last = m.sessions(t)
		return len(last) == 1 && want(last[0])
	})
	return last[0]
}

func TestSessions(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	m := start(t, a.WithTLS())
	if got := m.sessions(t); got == nil || len(got) != 0 {
		t.Errorf("nobody is there, but %v", got)
	}
	c := ftptest.Dial(t, m.Addr)
	c.Reply()
	c.Must("USER alice", "331")
	m.eventually(t, "a login that has begun", func(i ftpd.SessionInfo) bool {
		return i.State == ftpd.SessionIdle && i.Command == "USER" && i.User == "" && i.TLS == "" && i.LoggedIn.IsZero() &&
			!i.Connected.IsZero() && !i.Since.Before(i.Connected) && strings.HasPrefix(i.Peer.String(), "127.0.0.1:")
	})
	_ = c.Close()
	ftptest.Eventually(t, "it is gone", func() bool { return len(m.sessions(t)) == 0 })

	c = ftptest.LoginTLS(t, m.Addr, "alice", a.Client())
	m.eventually(t, "the login", func(i ftpd.SessionInfo) bool {
		return i.User == "alice" && i.TLS == "TLS 1.3" && !i.LoggedIn.IsZero() && i.Transfer == nil
	})
	c.Must("TYPE I", "200")
	c.Must("ALLO 10", "200")
	addr := c.EpsvAddr()
	c.Must("STOR name", "150")
	m.eventually(t, "a transfer without a data connection", func(i ftpd.SessionInfo) bool {
		return i.State == ftpd.SessionTransfer && i.Transfer.Bytes == 0
	})
	data := c.Protect(c.DialData(addr))
	if _, err := data.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	_ = data.Close()
	c.Reply()
	m.eventually(t, "it idles again", func(i ftpd.SessionInfo) bool {
		return i.State == ftpd.SessionIdle && i.Transfer == nil && i.Command == "STOR"
	})
}

func TestTransferInfo(t *testing.T) {
	t.Parallel()
	m := start(t)
	c := ftptest.Login(t, m.Addr, "alice")
	c.Must("TYPE I", "200")
	c.Must("ALLO 10", "200")
	data := c.DialData(c.EpsvAddr())
	c.Must("STOR name", "150")
	if _, err := data.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	i := m.eventually(t, "the transfer", func(i ftpd.SessionInfo) bool { return i.State == ftpd.SessionTransfer })
	if tr := i.Transfer; tr.Direction != "upload" || tr.Path != "/name" || tr.Size != 10 || tr.TLS || i.Command != "STOR" {
		t.Errorf("%+v: %+v", i, tr)
	}
	_ = data.Close()
	c.Reply()
}

func TestKick(t *testing.T) {
	t.Parallel()
	m := start(t)
	c := ftptest.Login(t, m.Addr, "alice")
	data := c.DialData(c.EpsvAddr())
	defer func() { _ = data.Close() }()
	c.Must("STOR name", "150")
	other := ftptest.Login(t, m.Addr, "alice")
	id := m.sessions(t)[0].ID
	if code := m.ask(t, "DELETE", fmt.Sprintf("/v1/sessions/%d", id), nil); code != http.StatusNoContent {
		t.Fatal(code)
	}
	if reply := c.Reply(); reply != "426 Transfer aborted: the server's operator has ended the session." {
		t.Error(reply)
	}
	if reply := c.Reply(); reply[:3] != "421" {
		t.Error(reply)
	}
	other.Must("NOOP", "200")
	ftptest.Eventually(t, "it is gone", func() bool { return len(m.sessions(t)) == 1 })
	if m.Read(t, "name") != "(absent)" {
		t.Error("half an upload is visible")
	}
	for path, want := range map[string]int{
		fmt.Sprintf("/v1/sessions/%d", id): http.StatusNotFound,
		"/v1/sessions/all":                 http.StatusBadRequest,
		"/v1/sessions/-1":                  http.StatusBadRequest,
		"/v1/sessions/":                    http.StatusNotFound,
	} {
		if code := m.ask(t, "DELETE", path, nil); code != want {
			t.Errorf("%s: %d", path, code)
		}
	}
}

func TestBans(t *testing.T) {
	t.Parallel()
	m := start(t, func(c *config.Config) { c.Bans.Failures = 2 })
	list := func() []manage.Ban {
		var body struct{ Bans []manage.Ban }
		m.ask(t, "GET", "/v1/bans", &body)
		return body.Bans
	}
	if got := list(); got == nil || len(got) != 0 {
		t.Errorf("nobody is banned, but %v", got)
	}
	c := ftptest.Dial(t, m.Addr)
	c.Reply()
	for _, password := range []string{"wrong", "wronger"} {
		c.Must("USER alice", "331")
		c.Do("PASS " + password)
	}
	ftptest.Eventually(t, "the ban", func() bool { return len(list()) == 1 })
	ban := list()[0]
	if ban.Network != "127.0.0.1/32" || ban.User != "" || ban.Reason != "failed logins" || ban.Count != 1 || ban.Until.IsZero() {
		t.Errorf("%+v", ban)
	}
	for _, tt := range []struct {
		query string
		want  int
	}{
		{"", http.StatusBadRequest},
		{"?network=127.0.0.1/32&user=alice", http.StatusBadRequest},
		{"?network=here", http.StatusBadRequest},
		{"?network=192.0.2.7", http.StatusNotFound},
		{"?user=alice", http.StatusNotFound},
		{"?network=127.0.0.1/32", http.StatusNoContent},
		{"?network=127.0.0.1", http.StatusNotFound},
	} {
		if code := m.ask(t, "DELETE", "/v1/bans"+tt.query, nil); code != tt.want {
			t.Errorf("%q: %d, want %d", tt.query, code, tt.want)
		}
	}
	ftptest.Login(t, m.Addr, "alice").Must("QUIT", "221")
}

func TestQuotasStatusAndDrain(t *testing.T) {
	t.Parallel()
	m := start(t, func(c *config.Config) { c.Users[0].Quota = config.Quota{Bytes: 100, Files: 7} })
	c := ftptest.Login(t, m.Addr, "alice")
	c.Must("TYPE I", "200")
	c.Put("STOR file", "hello")
	var q struct{ Quotas []manage.Quota }
	m.ask(t, "GET", "/v1/quotas", &q)
	if want := (manage.Quota{User: "alice", LimitBytes: 100, LimitFiles: 7, Counted: true, UsedBytes: 5, UsedFiles: 1}); len(q.Quotas) != 1 || q.Quotas[0] != want {
		t.Errorf("%+v, want %+v", q.Quotas, want)
	}
	var s config.Status
	if m.ask(t, "GET", "/v1/status", &s); !s.Ready || s.Sessions != 1 {
		t.Errorf("%+v", s)
	}
	if code := m.ask(t, "POST", "/v1/drain", nil); code != http.StatusAccepted || m.drains.Load() != 1 {
		t.Errorf("%d, drained %d times", code, m.drains.Load())
	}
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/goroutine", "/debug/pprof/heap", "/debug/pprof/cmdline"} {
		if code := m.ask(t, "GET", path, nil); code != http.StatusOK {
			t.Errorf("%s: %d", path, code)
		}
	}
}

// Requests that a web page can make a browser on this machine send must do nothing and reveal nothing.
func TestGuard(t *testing.T) {
	t.Parallel()
	m := start(t)
	ftptest.Login(t, m.Addr, "alice")
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(m.api.URL, "http://"))
	for name, tt := range map[string]struct {
		method, path, host string
		header             map[string]string
		want               int
	}{
		"own name":                  {"GET", "/v1/sessions", "localhost:" + port, nil, 200},
		"own name, any case":        {"GET", "/v1/sessions", "LocalHost", nil, 200},
		"own address":               {"GET", "/v1/sessions", "127.0.0.1:" + port, nil, 200},
		"own address of IPv6":       {"GET", "/v1/sessions", "[::1]:" + port, nil, 200},
		"another port (forwarded)":  {"GET", "/v1/sessions", "localhost:9999", nil, 200},
		"rebound name":              {"GET", "/v1/sessions", "evil.example.com:" + port, nil, 403},
		"rebound name, profiles":    {"GET", "/debug/pprof/heap", "evil.example.com", nil, 403},
		"name that looks like ours": {"GET", "/v1/sessions", "localhost.example.com", nil, 403},
		"address that looks so":     {"GET", "/v1/sessions", "127.0.0.1.example.com", nil, 403},
		"no name":                   {"GET", "/v1/sessions", " ", nil, 403},
		"no header":                 {"DELETE", "/v1/sessions/1", "localhost", nil, 403},
		"form of another site":      {"POST", "/v1/drain", "localhost", map[string]string{"Origin": "https://evil.example.com", "Content-Type": "text/plain"}, 403},
		"script of another site":    {"POST", "/v1/drain", "localhost", map[string]string{"Sec-Fetch-Site": "cross-site", manage.Header: "yes"}, 403},
		"script of another port":    {"POST", "/v1/drain", "localhost", map[string]string{"Sec-Fetch-Site": "same-site", manage.Header: "yes"}, 403},
		"image of another site":     {"GET", "/debug/pprof/profile?seconds=60", "localhost", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"preflight":                 {"OPTIONS", "/v1/drain", "localhost", map[string]string{"Origin": "https://evil.example.com", "Access-Control-Request-Method": "POST"}, 403},
		"get that would change":     {"GET", "/v1/drain", "localhost", map[string]string{manage.Header: "yes"}, 405},
		"unknown":                   {"GET", "/v1/nothing", "localhost", nil, 404},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, m.api.URL+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = tt.host
		for k, v := range tt.header {
			r.Header.Set(k, v)
		}
		resp, err := m.api.Client().Do(r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != tt.want {
			t.Errorf("%s: %d, want %d", name, resp.StatusCode, tt.want)
		}
		if resp.Header.Get("Access-Control-Allow-Origin") != "" || tt.want == 403 && strings.Contains(string(body), "alice") {
			t.Errorf("%s: tells %q", name, body)
		}
	}
	if m.drains.Load() != 0 || len(m.sessions(t)) != 1 {
		t.Error("something was done")
	}
}
