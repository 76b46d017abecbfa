package config

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestValidateLimits(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   string // the whole error; empty: no error
	}{
		{"limits", func(c *Config) {
			c.Limits = Limits{MaxSessions: 1, MaxSessionsPerUser: 1, MaxSessionsPerAddress: 1, MaxPreLogin: 1, Bandwidth: Bandwidth{User: Rates{Up: 1024}}}
		}, ""},
		{"sessions", func(c *Config) { c.Limits.MaxSessions = -1 }, "limits.maxSessions: -1 is negative: write how many sessions there may be, or 0 for no bound"},
		{"sessions of a user", func(c *Config) { c.Limits.MaxSessionsPerUser = -1 }, "limits.maxSessionsPerUser: -1 is negative: write how many sessions there may be, or 0 for no bound"},
		{"sessions of an address", func(c *Config) { c.Limits.MaxSessionsPerAddress = -1 }, "limits.maxSessionsPerAddress: -1 is negative: write how many sessions there may be, or 0 for no bound"},
		{"before login", func(c *Config) { c.Limits.MaxPreLogin = -1 }, "limits.maxPreLogin: -1 is out of range: write 1 to 100000"},
		{"a rate", func(c *Config) { c.Limits.Bandwidth.Server.Down = 1 }, "limits.bandwidth.server.down: 1 is too little: write at least 1024 bytes a second, or 0 for no bound"},
		{"a negative rate", func(c *Config) { c.Limits.Bandwidth.Session.Up = -5 }, "limits.bandwidth.session.up: -5 is too little: write at least 1024 bytes a second, or 0 for no bound"},
		{"handshake", func(c *Config) { c.Timeouts.Handshake = Duration(time.Hour) }, "timeouts.handshake: 1h0m0s is out of range: write 1s to 1m0s"},

		{"failures", func(c *Config) { c.Bans.Failures = 2000 }, "bans.failures: 2000 is out of range: write 1 to 1000"},
		{"window", func(c *Config) { c.Bans.Window = 1 }, "bans.window: 1ns is out of range: write 10s to 24h0m0s"},
		{"ban", func(c *Config) { c.Bans.Duration = -1 }, "bans.duration: -1ns is out of range: write 1s to 168h0m0s"},
		{"longest ban", func(c *Config) { c.Bans.MaxDuration = Duration(time.Minute) }, "bans.maxDuration: 1m0s is less than bans.duration, 5m0s: write at least that"},
		{"endless ban", func(c *Config) { c.Bans.MaxDuration = Duration(1000 * time.Hour) }, "bans.maxDuration: 1000h0m0s is out of range: write 1s to 720h0m0s"},
		{"empty network", func(c *Config) { c.Bans.Allow = make([]Network, 1) }, "bans.allow[0]: is empty: write a network, as in 10.0.0.0/8, or remove it"},

		{"proxy", func(c *Config) {
			c.ProxyProtocol = ProxyProtocol{ProxyRequire, Networks(netip.MustParsePrefix("::/0"))}
		}, ""},
		{"proxy mode", func(c *Config) { c.ProxyProtocol.Mode = "On" }, `proxyProtocol.mode: "On" is unknown: write Off, Accept or Require`},
		{"proxy trusts nobody", func(c *Config) { c.ProxyProtocol.Mode = ProxyAccept }, "proxyProtocol.trusted: is empty: name the networks of the proxies, as in 10.0.0.0/8, or set mode to Off"},

		{"rights", func(c *Config) { c.Users[0].Rights, c.Anonymous.Rights = AllRights, []Right{RightList} }, ""},
		{"unknown right", func(c *Config) { c.Users[1].Rights = []Right{"Fly"} }, `users[1].rights: "Fly" is unknown: write some of List, Read, Create, Write, Append, Delete, Rename, Mkdir`},
		{"right twice", func(c *Config) { c.Anonymous.Rights = []Right{RightRead, RightList, RightRead} }, "anonymous.rights: Read is named twice: remove one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := valid()
			c.change(config)
			got := ""
			if err := config.Validate(); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestNetwork(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.0/8", "10.1.2.3": "10.1.2.3/32", "2001:db8::/32": "2001:db8::/32", "::1": "::1/128",
		"::ffff:10.1.2.3": "10.1.2.3/32", "0.0.0.0/0": "0.0.0.0/0",
		"10.1.2.3/8":     `network "10.1.2.3/8" has bits set beyond its mask: write 10.0.0.0/8, or the address alone`,
		"":               `network "" is not of the form 10.0.0.0/8 or 2001:db8::/32`,
		"10.0.0.0/33":    `network "10.0.0.0/33" is not of the form 10.0.0.0/8 or 2001:db8::/32`,
		"::ffff:0:0/96":  `network "::ffff:0:0/96" is not of the form 10.0.0.0/8 or 2001:db8::/32`,
		"example.org/24": `network "example.org/24" is not of the form 10.0.0.0/8 or 2001:db8::/32`,
	} {
		var n Network
		if err := n.UnmarshalText([]byte(text)); err != nil {
			if err.Error() != want {
				t.Errorf("%q: got %v, want %s", text, err, want)
			}
			continue
		}
		if got, err := n.MarshalText(); string(got) != want || err != nil {
			t.Errorf("%q: got %s (%v), want %s", text, got, err, want)
		}
	}
	networks := Networks(netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fe80::/10"))
	for addr, want := range map[string]bool{"10.1.2.3": true, "::ffff:10.1.2.3": true, "11.0.0.1": false, "fe80::1%eth0": true, "::1": false} {
		if got := InNetworks(networks, netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v, want %v", addr, got, want)
		}
	}
}

func TestAddressesHidden(t *testing.T) {
	for _, c := range []struct {
		check PeerCheck
		mode  ProxyMode
		want  bool
	}{
		{PeerCheckStrict, ProxyOff, false},
		{PeerCheckRelaxed, ProxyOff, true},
		{PeerCheckRelaxed, ProxyAccept, false},
		{PeerCheckRelaxed, ProxyRequire, false},
	} {
		config := valid()
		config.Passive.PeerCheck, config.ProxyProtocol.Mode = c.check, c.mode
		if got := config.AddressesHidden(); got != c.want {
			t.Errorf("%s, %s: %v", c.check, c.mode, got)
		}
	}
}

// A ban that is longer than the default of the longest ban must raise that.
func TestBanDefaults(t *testing.T) {
	c, err := Parse([]byte("apiVersion: " + APIVersion + "\nstorage: {root: /data}\npassive: {ports: 30000-30009}\nbans: {duration: 48h}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if !c.Bans.On() || c.Bans.MaxDuration.Std() != 48*time.Hour || c.Bans.Failures != DefaultBanFailures {
		t.Errorf("%+v", c.Bans)
	}
	c, err = Parse([]byte("apiVersion: " + APIVersion + "\nstorage: {root: /data}\npassive: {ports: 30000-30009}\nbans: {enabled: false, allow: ['', 1]}\n"))
	if err == nil || !strings.Contains(err.Error(), "network") {
		t.Errorf("%+v, %v", c, err)
	}
}

func drawRights(t *rapid.T) []Right {
	rights := rapid.SliceOfDistinct(rapid.SampledFrom(AllRights), rapid.ID).Draw(t, "rights")
	if len(rights) == 0 {
		return nil
	}
	return rights
}

func drawLimits(t *rapid.T) Limits {
	sessions := rapid.IntRange(0, 1000000)
	rate := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Min(minRate))
	rates := func() Rates { return Rates{Up: rate.Draw(t, "up"), Down: rate.Draw(t, "down")} }
	return Limits{
		MaxSessions: sessions.Draw(t, "sessions"), MaxSessionsPerUser: sessions.Draw(t, "per user"), MaxSessionsPerAddress: sessions.Draw(t, "per address"),
		MaxPreLogin: rapid.IntRange(1, maxPreLoginBound).Draw(t, "before login"),
		Bandwidth:   Bandwidth{Session: rates(), User: rates(), Server: rates()},
	}
}

func drawBans(t *rapid.T, duration func(least, most time.Duration) Duration) Bans {
	on := rapid.Bool().Draw(t, "bans")
	b := Bans{
		Enabled: &on, Failures: rapid.IntRange(1, maxBanFailures).Draw(t, "failures"),
		Window: duration(10*time.Second, time.Hour), Duration: duration(time.Second, time.Hour), Allow: drawNetworks(t),
	}
	b.MaxDuration = duration(b.Duration.Std(), maxBanBound)
	return b
}

func drawProxyProtocol(t *rapid.T) ProxyProtocol {
	x := ProxyProtocol{Mode: rapid.SampledFrom([]ProxyMode{ProxyOff, ProxyAccept, ProxyRequire}).Draw(t, "proxy"), Trusted: drawNetworks(t)}
	if x.Trusted == nil {
		x.Mode = ProxyOff
	}
	return x
}

func drawNetworks(t *rapid.T) []Network {
	var networks []Network
	for range rapid.IntRange(0, 2).Draw(t, "networks") {
		addr, _ := netip.AddrFromSlice(rapid.OneOf(rapid.SliceOfN(rapid.Byte(), 4, 4), rapid.SliceOfN(rapid.Byte(), 16, 16)).Draw(t, "address"))
		prefix, _ := addr.Unmap().Prefix(rapid.IntRange(0, addr.Unmap().BitLen()).Draw(t, "bits"))
		networks = append(networks, Network{prefix})
	}
	return networks
}
