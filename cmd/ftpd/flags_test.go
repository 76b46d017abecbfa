package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

func TestWrongFlags(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	good := func(more ...string) []string {
		return append([]string{"--root", root, "--user", "alice:secret"}, more...)
	}
	tests := map[string]struct {
		args []string
		want []string // parts of the message
	}{
		"nothing":             {nil, []string{"--root", "--config"}},
		"no user":             {[]string{"--root", root}, []string{"--user", "NAME:PASSWORD"}},
		"unknown flag":        {good("--colour"), []string{"--colour"}},
		"argument":            {good("DIR"), []string{`"DIR"`}},
		"no such root":        {[]string{"--root", root + "/none", "--user", "a:b"}, []string{"--root", "none"}},
		"root is a file":      {[]string{"--root", os.Args[0], "--user", "a:b"}, []string{"--root"}},
		"user without colon":  {[]string{"--root", root, "--user", "alice"}, []string{"--user", "NAME:PASSWORD"}},
		"empty password":      {[]string{"--root", root, "--user", "alice:"}, []string{"--user", "alice"}},
		"bad user name":       {[]string{"--root", root, "--user", "al ice:x"}, []string{"--user"}},
		"reserved user name":  {[]string{"--root", root, "--user", "anonymous:x"}, []string{"--user", "anonymous"}},
		"user twice":          {good("--user", "alice:other"), []string{"--user", "alice"}},
		"broken hash":         {[]string{"--root", root, "--user", "alice:$argon2id$v=19$nonsense"}, []string{"--user", "alice"}},
		"foreign hash":        {[]string{"--root", root, "--user", "alice:$6$salt$hash"}, []string{"--user", "alice", "not supported", "ftpd hash"}},
		"not UTF-8":           {[]string{"--root", root, "--user", "alice:caf\xe9"}, []string{"--user", "alice", "UTF-8"}},
		"costly hash":         {[]string{"--root", root, "--user", "alice:$argon2id$v=19$m=1048576,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"}, []string{"--user", "alice", "65536"}},
		"listen":              {good("--listen", "2121"), []string{"--listen", "HOST:PORT"}},
		"listen IPv6":         {good("--listen", "::1"), []string{"--listen", "[::1]:"}},
		"listen port":         {good("--listen", "127.0.0.1:99999"), []string{"--listen", "99999"}},
		"ports":               {good("--passive-ports", "30009-30000"), []string{"--passive-ports", "30000-30009"}},
		"privileged ports":    {good("--passive-ports", "20-30"), []string{"--passive-ports", "1024"}},
		"no ports":            {good("--passive-ports", ""), []string{"--passive-ports"}},
		"advertise":           {good("--advertise", "not an address"), []string{"--advertise"}},
		"admin":               {good("--admin", "8021"), []string{"--admin", "HOST:PORT"}},
		"api":                 {good("--api", "8022"), []string{"--api", "127.0.0.1:8022"}},
		"api for the world":   {good("--api", ":8022"), []string{"--api", "loopback", "port-forward"}},
		"api, configured":     {[]string{"--config", "x.yaml", "--api", "0.0.0.0:1"}, []string{"--api", "loopback"}},
		"certificate alone":   {good("--tls-cert", "x"), []string{"--tls-cert", "--tls-key"}},
		"implicit alone":      {good("--tls-listen", ":990"), []string{"--tls-listen", "--tls-cert"}},
		"implicit port":       {good("--tls-listen", "990", "--tls-cert", "x", "--tls-key", "x"), []string{"--tls-listen", "HOST:PORT"}},
		"implicit twice":      {good("--listen", ":2121", "--tls-listen", ":2121", "--tls-cert", "x", "--tls-key", "x"), []string{"--tls-listen", ":2121"}},
		"log format":          {good("--log-format", "xml"), []string{"--log-format", "json"}},
		"log level":           {good("--log-level", "loud"), []string{"--log-level", "debug"}},
		"config and others":   {[]string{"--config", "x.yaml", "--root", root}, []string{"--root", "--config"}},
		"config and the rest": {[]string{"--config", "x.yaml", "--active"}, []string{"--active", "--config"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), tt.args, nil, &stdout, &stderr); code != 2 {
				t.Errorf("exit code %d", code)
			}
			for _, want := range tt.want {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("%q does not name %q", stderr.String(), want)
				}
			}
			if strings.Contains(stderr.String(), "secret") || stdout.Len() > 0 {
				t.Errorf("printed %q and %q", stdout.String(), stderr.String())
			}
		})
	}
}

func TestHelpAndVersion(t *testing.T) {
	t.Parallel()
	for flag, want := range map[string]string{"--help": "--passive-ports PORTS", "-h": "Examples:", "--version": "ftpd "} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), []string{flag}, nil, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), want) || stderr.Len() > 0 {
			t.Errorf("%s: %d, %q, %q", flag, code, stdout.String(), stderr.String())
		}
	}
	f, _ := parseFlags([]string{"--help"})
	for _, name := range append(standalone, "config", "api", "log-format", "log-level", "version") {
		if !strings.Contains(f.help(), "--"+name) {
			t.Errorf("help does not mention --%s", name)
		}
	}
}

func TestFlagsMeanAConfiguration(t *testing.T) {
	t.Parallel()
	hash, err := passhash.Hash("hidden")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	f, err := parseFlags([]string{"--root", root, "--user", "alice:se:cret", "--user", "bob:" + hash, "--listen", "127.0.0.1:2121",
		"--passive-ports", "30000-30009", "--advertise", "127.0.0.1", "--active", "--admin", "127.0.0.1:8021",
		"--tls-cert", "/x/tls.crt", "--tls-key", "/x/tls.key", "--tls-listen", ":990"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(f.data)
	if err != nil {
		t.Fatal(err)
	}
	if abs, _ := filepath.Abs(root); c.Storage.Root != abs || c.Listen[0] != "127.0.0.1:2121" || len(c.Listen) != 1 ||
		c.Passive.Ports.String() != "30000-30009" || c.Passive.AdvertisedAddress != "127.0.0.1" || !c.Active.Enabled || c.AdminAddress != "127.0.0.1:8021" {
		t.Errorf("got %+v", c)
	}
	if tls := c.TLS; tls == nil || tls.Certificates[0].CertFile != "/x/tls.crt" || tls.Certificates[0].KeyFile != "/x/tls.key" || tls.ImplicitListen[0] != ":990" {
		t.Errorf("TLS: %+v", c.TLS)
	}
	if len(c.Users) != 2 || c.Users[1].PasswordHash != hash || c.Users[0].Home != "." || c.Users[0].Access != config.AccessReadWrite {
		t.Fatalf("users: %+v", c.Users)
	}
	if ok, err := passhash.Verify(c.Users[0].PasswordHash, "se:cret"); !ok || err != nil {
		t.Errorf("alice's password: %v, %v", ok, err)
	}
}
