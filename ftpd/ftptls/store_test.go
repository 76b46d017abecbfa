package ftptls

import (
	"bytes"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

// opened returns a Store with its log and a clock of its own.
func opened(t *testing.T, cfg *config.TLS) (*Store, *bytes.Buffer, *time.Time) {
	t.Helper()
	now := time.Now()
	log := &bytes.Buffer{}
	s, err := open(cfg, slog.New(slog.NewTextHandler(log, nil)), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return s, log, &now
}

func first(s *Store) string { return s.current.Load().certificates[0].Leaf.Subject.CommonName }

// Refresh notices when the kubelet swaps the directory that the files are links into.
func TestRefreshFollowsASecretVolume(t *testing.T) {
	a := authority.New(t)
	volume := t.TempDir()
	swap := func(generation, host string) {
		t.Helper()
		c := a.Issue(generation, authority.Tomorrow(), host)
		dir := filepath.Join(volume, generation)
		link := filepath.Join(volume, "..data_tmp")
		if err := errors.Join(os.Mkdir(dir, 0o700),
			os.Rename(c.CertFile, filepath.Join(dir, "tls.crt")), os.Rename(c.KeyFile, filepath.Join(dir, "tls.key")),
			os.Symlink(generation, link), os.Rename(link, filepath.Join(volume, "..data"))); err != nil {
			t.Fatal(err)
		}
	}
	swap("..1", "one.example.com")
	c := config.Certificate{CertFile: filepath.Join(volume, "tls.crt"), KeyFile: filepath.Join(volume, "tls.key")}
	if err := errors.Join(os.Symlink("..data/tls.crt", c.CertFile), os.Symlink("..data/tls.key", c.KeyFile)); err != nil {
		t.Fatal(err)
	}
	s, log, _ := opened(t, &config.TLS{Certificates: []config.Certificate{c}})
	before := log.Len()
	s.Refresh()
	if first(s) != "one.example.com" || log.Len() != before {
		t.Errorf("unchanged, but: %s", log)
	}
	swap("..2", "two.example.com")
	s.Refresh()
	if first(s) != "two.example.com" || s.Err() != nil {
		t.Errorf("after the swap: %s, %v", first(s), s.Err())
	}
}

func TestRefreshKeepsWhatWasGood(t *testing.T) {
	a := authority.New(t)
	c := a.Issue("server", authority.Tomorrow(), "good.example.com")
	s, log, _ := opened(t, &config.TLS{
		Certificates: []config.Certificate{c},
		ClientAuth:   config.ClientAuth{Mode: config.ClientAuthRequired, CAFile: a.File},
	})
	ca, err := os.ReadFile(a.File)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		spoil func() error
		want  string
	}{
		"no certificate": {func() error { return os.Remove(c.CertFile) }, "certFile"},
		"not PEM":        {func() error { return os.WriteFile(c.CertFile, []byte("nonsense"), 0o600) }, c.CertFile},
		"another's key": {func() error {
			other := a.Issue("other", authority.Tomorrow(), "other.example.com")
			return os.Rename(other.KeyFile, c.KeyFile)
		}, c.KeyFile},
		"ended":     {func() error { a.Issue("server", time.Now().Add(-time.Hour), "old.example.com"); return nil }, "ended on"},
		"no CA":     {func() error { return os.WriteFile(a.File, nil, 0o600) }, "caFile"},
		"too large": {func() error { return os.WriteFile(c.CertFile, make([]byte, maxFile+1), 0o600) }, "larger"},
	} {
		t.Run(name, func(t *testing.T) {
			log.Reset()
			if err := tt.spoil(); err != nil {
				t.Fatal(err)
			}
			s.Refresh()
			s.Refresh()
			if err := s.Err(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Err: %v", err)
			}
			if first(s) != "good.example.com" || strings.Count(log.String(), "can't be used") != 1 {
				t.Errorf("serves %s; log: %s", first(s), log)
			}
			a.Issue("server", authority.Tomorrow(), "good.example.com")
			if err := os.WriteFile(a.File, ca, 0o600); err != nil {
				t.Fatal(err)
			}
			s.Refresh()
			if s.Err() != nil {
				t.Errorf("mended, but: %v", s.Err())
			}
		})
	}
}

func TestOpenNamesTheField(t *testing.T) {
	a := authority.New(t)
	c := a.Issue("server", authority.Tomorrow(), "good.example.com")
	for _, tt := range []struct {
		cfg  config.TLS
		want string
	}{
		{config.TLS{Certificates: []config.Certificate{{CertFile: c.CertFile, KeyFile: "/none"}}}, "tls.certificates[0].keyFile: open /none"},
		{config.TLS{Certificates: []config.Certificate{c, {CertFile: c.CertFile, KeyFile: c.CertFile}}}, "tls.certificates[1]: "},
		{config.TLS{Certificates: []config.Certificate{c}, ClientAuth: config.ClientAuth{Mode: config.ClientAuthOptional, CAFile: c.KeyFile}}, "tls.clientAuth.caFile: "},
	} {
		if _, err := Open(&tt.cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("want %q, got %v", tt.want, err)
		}
	}
}

func TestExpiryIsLogged(t *testing.T) {
	a := authority.New(t)
	until := time.Now().Add(20 * 24 * time.Hour)
	s, log, now := opened(t, &config.TLS{Certificates: []config.Certificate{a.Issue("server", until, "ftp.example.com")}})
	if !s.NotAfter().Equal(until.Truncate(time.Second)) {
		t.Errorf("NotAfter is %v", s.NotAfter())
	}
	for _, step := range []struct {
		after time.Duration
		want  string
		count int
	}{
		{0, "ends soon", 0},
		{7 * 24 * time.Hour, "ends soon", 1},
		{time.Hour, "ends soon", 1},
		{24 * time.Hour, "ends soon", 2},
		{15 * 24 * time.Hour, "has ended", 1},
	} {
		*now = now.Add(step.after)
		s.Refresh()
		if got := strings.Count(log.String(), step.want); got != step.count {
			t.Errorf("after %v: %d times %q", step.after, got, step.want)
		}
	}
}

func TestServerNameChooses(t *testing.T) {
	a := authority.New(t)
	override := a.Issue("three", authority.Tomorrow(), "three.example.com")
	override.Hosts = []string{"*.example.org"}
	cfg := &config.TLS{Certificates: []config.Certificate{
		a.Issue("one", authority.Tomorrow(), "one.example.com"),
		a.Issue("two", authority.Tomorrow(), "two.example.com", "*.example.net"),
		override,
	}}
	s, _, _ := opened(t, cfg)
	for _, tt := range []struct{ sni, host, want string }{
		{"one.example.com", "", "one.example.com"},
		{"two.example.com", "", "two.example.com"},
		{"any.example.net", "", "two.example.com"},
		{"Any.Example.Org", "", "three.example.com"},
		{"a.b.example.org", "", "one.example.com"},
		{"three.example.com", "", "one.example.com"}, // its configured hosts do not include the name
		{"unknown", "", "one.example.com"},
		{"", "", "one.example.com"},
		{"", "two.example.com", "two.example.com"},
		{"one.example.com", "two.example.com", "one.example.com"},
	} {
		server, client := net.Pipe()
		done := make(chan error, 1)
		go func() { done <- s.NewSession(tt.host).Control(server).Handshake() }()
		conn := tls.Client(client, &tls.Config{ServerName: tt.sni, InsecureSkipVerify: true}) //nolint:gosec // a test
		if err := errors.Join(conn.Handshake(), <-done); err != nil {
			t.Fatal(err)
		}
		if got := conn.ConnectionState().PeerCertificates[0].Subject.CommonName; got != tt.want {
			t.Errorf("SNI %q, HOST %q: %s", tt.sni, tt.host, got)
		}
		_, _ = client.Close(), server.Close()
	}
}

func TestServes(t *testing.T) {
	a := authority.New(t)
	cfg := config.TLS{Certificates: []config.Certificate{a.Issue("server", authority.Tomorrow(), "x.example.com")}}
	s, _, _ := opened(t, &cfg)
	other := cfg
	other.MinVersion = config.TLS13
	if !s.Serves(&cfg) || s.Serves(&other) || s.Serves(nil) {
		t.Error("Serves is wrong")
	}
}
