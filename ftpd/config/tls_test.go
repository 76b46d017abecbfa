package config

import (
	"bytes"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func validTLS() *Config {
	c := valid()
	c.TLS = &TLS{Certificates: []Certificate{{CertFile: "/tls.crt", KeyFile: "/tls.key"}}}
	c.SetDefaults()
	return c
}

func TestValidateTLS(t *testing.T) {
	if err := validTLS().Validate(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.TLS.Certificates = nil }, "tls.certificates: is empty"},
		{func(c *Config) { c.TLS.Certificates[0].CertFile = "" }, "tls.certificates[0].certFile: is missing"},
		{func(c *Config) { c.TLS.Certificates[0].KeyFile = "" }, "tls.certificates[0].keyFile: is missing"},
		{func(c *Config) { c.TLS.Certificates[0].Hosts = []string{"ok.example.com", "a b"} }, `tls.certificates[0].hosts[1]: "a b" is no host name`},
		{func(c *Config) { c.TLS.Certificates[0].Hosts = []string{"a.*.example.com"} }, "tls.certificates[0].hosts[0]"},
		{func(c *Config) { c.TLS.MinVersion = "1.1" }, `tls.minVersion: "1.1" is unknown: write 1.2 or 1.3`},
		{func(c *Config) { c.TLS.Login = "Yes" }, `tls.login: "Yes" is unknown: write Optional or Required`},
		{func(c *Config) { c.TLS.Data = "Yes" }, "tls.data: "},
		{func(c *Config) { c.TLS.SessionReuse = "On" }, `tls.sessionReuse: "On" is unknown: write Off, Prefer or Require`},
		{func(c *Config) { c.TLS.ClientAuth.Mode = "On" }, "tls.clientAuth.mode: "},
		{func(c *Config) { c.TLS.ClientAuth.Mode = ClientAuthRequired }, "tls.clientAuth.caFile: is missing"},
		{func(c *Config) { c.TLS.ImplicitListen = []string{"990"} }, "tls.implicitListen[0]: "},
		{func(c *Config) { c.TLS.ImplicitListen = c.Listen }, "tls.implicitListen[0]: "},
		{func(c *Config) { c.TLS.ImplicitListen = []string{":30001"} }, "tls.implicitListen[0]: port 30001 is also one of passive.ports"},
		{func(c *Config) { c.Hosts = []string{"*.example.com", "-"} }, "hosts[1]: "},
		{func(c *Config) { c.Passive.Overrides = []AddressOverride{{Address: "192.0.2.1"}} }, "passive.overrides[0].clients: is empty"},
		{func(c *Config) {
			c.Passive.Overrides = []AddressOverride{{Clients: Networks(netip.MustParsePrefix("10.0.0.0/8"))}}
		}, "passive.overrides[0].address: is missing"},
		{func(c *Config) {
			c.Passive.Overrides = []AddressOverride{{Clients: Networks(netip.MustParsePrefix("10.0.0.0/8")), Address: "0.0.0.0"}}
		}, "passive.overrides[0].address: 0.0.0.0 is no address"},
	} {
		broken := validTLS()
		c.change(broken)
		if err := broken.Validate(); err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("want %q, got %v", c.want, err)
		}
	}
}

// "Off" and Disabled must mean the same. Off without quotes is a boolean in YAML, and the error must say so.
func TestSessionReuseOff(t *testing.T) {
	for written, want := range map[string]string{
		`"Off"`: "", "Disabled": "", "Prefer": "", "Require": "",
		"Off": `tls.sessionReuse: is the boolean that YAML takes Off for: write it in quotes, as "Off"`,
		"no":  `tls.sessionReuse: is the boolean that YAML takes Off for: write it in quotes, as "Off"`,
		"On":  `tls.sessionReuse: "true" is unknown: write Off, Prefer or Require`,
	} {
		t.Run(written, func(t *testing.T) {
			file, err := validTLS().Marshal()
			if err != nil {
				t.Fatal(err)
			}
			before := regexp.MustCompile(`sessionReuse: \w+`)
			c, err := Parse(before.ReplaceAll(file, []byte("sessionReuse: "+written)))
			if want != "" {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if off := c.TLS.SessionReuse == SessionReuseOff; off != (written == `"Off"` || written == "Disabled") {
				t.Errorf("it is %s", c.TLS.SessionReuse)
			}
			if again, err := c.Marshal(); err != nil || !bytes.Contains(again, []byte("sessionReuse: ")) {
				t.Errorf("%v: %s", err, again)
			} else if _, err := Parse(again); err != nil {
				t.Errorf("what was written is not read: %v", err)
			}
		})
	}
}

func TestTLSIsNotStatic(t *testing.T) {
	after := validTLS()
	after.TLS.ImplicitListen = []string{":990"}
	if got := StaticChanges(valid(), after); got != nil {
		t.Errorf("TLS, with an implicit port, can't come without a restart: %v", got)
	}
}

func TestMatchHost(t *testing.T) {
	for _, c := range []struct {
		pattern, host string
		want          bool
	}{
		{"ftp.example.com", "FTP.example.COM.", true},
		{"ftp.example.com.", "ftp.example.com", true},
		{"ftp.example.com", "example.com", false},
		{"*.example.com", "ftp.example.com", true},
		{"*.example.com", "a.ftp.example.com", false},
		{"*.example.com", "example.com", false},
		{"*.example.com", "xexample.com", false},
	} {
		if got := MatchHost(c.pattern, c.host); got != c.want {
			t.Errorf("MatchHost(%q, %q) = %v", c.pattern, c.host, got)
		}
	}
}

func TestOverrideCovers(t *testing.T) {
	o := AddressOverride{Clients: Networks(netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fe80::/10"))}
	for addr, want := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "11.1.2.3": false, "fe80::1%eth0": true, "2001:db8::1": false,
	} {
		if got := o.Covers(netip.MustParseAddr(addr)); got != want {
			t.Errorf("Covers(%s) = %v", addr, got)
		}
	}
}

func drawTLS(t *rapid.T) *TLS {
	if rapid.Bool().Draw(t, "no TLS") {
		return nil
	}
	policy := rapid.SampledFrom([]Policy{PolicyOptional, PolicyRequired})
	return &TLS{
		Certificates:    []Certificate{{CertFile: "/a.crt", KeyFile: "/a.key", Hosts: rapid.SampledFrom([][]string{nil, {"a.example.com", "*.example.org"}}).Draw(t, "hosts")}},
		MinVersion:      rapid.SampledFrom([]TLSVersion{TLS12, TLS13}).Draw(t, "version"),
		Login:           policy.Draw(t, "login"),
		Data:            policy.Draw(t, "data"),
		ImplicitListen:  rapid.SampledFrom([][]string{nil, {":990"}}).Draw(t, "implicit"),
		SessionReuse:    rapid.SampledFrom([]SessionReuse{SessionReuseOff, SessionReusePrefer, SessionReuseRequire}).Draw(t, "reuse"),
		ClientAuth:      ClientAuth{Mode: rapid.SampledFrom([]ClientAuthMode{ClientAuthOff, ClientAuthRequired}).Draw(t, "mode"), CAFile: "/ca.crt"},
		AllowCCC:        rapid.Bool().Draw(t, "CCC"),
		AllowTruncation: rapid.Bool().Draw(t, "truncation"),
	}
}

func drawOverrides(t *rapid.T) []AddressOverride {
	if rapid.Bool().Draw(t, "no overrides") {
		return nil
	}
	return []AddressOverride{{
		Clients: Networks(netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")),
		Address: rapid.SampledFrom([]string{"10.0.0.1", "ftp.example.org"}).Draw(t, "address"),
	}}
}
