package config

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const bcryptHash = "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"

// The golden files must match what the configuration files mean, with defaults set.
func TestGolden(t *testing.T) {
	for _, name := range []string{"minimal", "full"} {
		t.Run(name, func(t *testing.T) {
			file, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			c, err := Parse(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+".golden.yaml")
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s means\n%s\nbut %s says\n%s", name, got, golden, want)
			}
		})
	}
}

// valid returns a valid configuration, as Parse returns it.
func valid() *Config {
	c := &Config{
		APIVersion: APIVersion,
		Storage:    Storage{Root: "/data"},
		Passive:    Passive{Ports: PortRange(30000, 30009)},
		Users:      []User{{Name: "alice", PasswordHash: bcryptHash}, {Name: "bob", PasswordHash: bcryptHash}},
	}
	c.SetDefaults()
	return c
}

func TestValidate(t *testing.T) {
	if err := valid().Validate(); err != nil {
		t.Fatalf("a valid configuration: %v", err)
	}
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   string // the whole error; empty: no error
	}{
		{"version", func(c *Config) { c.APIVersion = "v2" }, `apiVersion: "v2" is not known to this daemon: write ftpd.ftp-operator.io/v1alpha1`},
		{"root", func(c *Config) { c.Storage.Root = "" }, "storage.root: is missing: name the directory that holds the homes"},
		{"greeting of two lines", func(c *Config) { c.Greeting = "a\r\n230 in" }, "greeting: holds a line break or another character that can't be printed: write one plain line"},
		{"greeting too long", func(c *Config) { c.Greeting = strings.Repeat("x", 513) }, "greeting: has 513 bytes: shorten it to 512"},

		{"listen nowhere", func(c *Config) { c.Listen = nil }, "listen: is empty: give at least one address, as in :2121"},
		{"listen without port", func(c *Config) { c.Listen = []string{":21", "localhost"} }, `listen[1]: "localhost" is not of the form host:port, as in :2121, 127.0.0.1:2121 or [::1]:2121`},
		{"listen on a big port", func(c *Config) { c.Listen = []string{":65536"} }, `listen[0]: ":65536" has no port from 0 to 65535 after the last colon`},
		{"listen on a service name", func(c *Config) { c.Listen = []string{":ftp"} }, `listen[0]: ":ftp" has no port from 0 to 65535 after the last colon`},
		{"listen on a bad host", func(c *Config) { c.Listen = []string{"a_b:21"} }, `listen[0]: "a_b:21": "a_b" is neither an IP address nor a host name`},
		{"listen on a bad IP", func(c *Config) { c.Listen = []string{"300.0.0.1:21"} }, `listen[0]: "300.0.0.1:21": "300.0.0.1" is neither an IP address nor a host name`},
		{"listen twice", func(c *Config) { c.Listen = []string{":21", ":21"} }, `listen[1]: ":21" is listen[0] too: remove one`},
		{"listen on any port twice", func(c *Config) { c.Listen = []string{"127.0.0.1:0", "127.0.0.1:0"} }, ""},
		{"listen on IPv6", func(c *Config) { c.Listen = []string{"[::1]:21"} }, ""},
		{"listen on a passive port", func(c *Config) { c.Listen = []string{":30009"} }, "listen[0]: port 30009 is also one of passive.ports: change one of them"},
		{"admin on the control port", func(c *Config) { c.AdminAddress = ":2121" }, `adminAddress: ":2121" is listen[0] too: remove one`},
		{"admin on a passive port", func(c *Config) { c.AdminAddress = ":30000" }, "adminAddress: port 30000 is also one of passive.ports: change one of them"},
		{"admin malformed", func(c *Config) { c.AdminAddress = "8021" }, `adminAddress: "8021" is not of the form host:port, as in :2121, 127.0.0.1:2121 or [::1]:2121`},

		{"no ports", func(c *Config) { c.Passive.Ports = nil }, "passive: neither ports nor portsFile is set: write ports, as in 30000-30009"},
		{"ports twice", func(c *Config) { c.Passive.PortsFile = "/f" }, "passive: ports and portsFile are both set: remove one"},
		{"ports from a file", func(c *Config) { c.Passive.Ports, c.Passive.PortsFile = nil, "/f" }, ""},
		{"a privileged port", func(c *Config) { c.Passive.Ports = NewPortSet(20, 30000) }, "passive.ports: 20 is outside 1024-65535"},
		{"advertise an IP", func(c *Config) { c.Passive.AdvertisedAddress = "2001:db8::1" }, ""},
		{"advertise a name", func(c *Config) { c.Passive.AdvertisedAddress = "1-a.example.org." }, ""},
		{"advertise junk", func(c *Config) { c.Passive.AdvertisedAddress = "ftp://a" }, `passive.advertisedAddress: "ftp://a" is neither an IP address nor a host name`},
		{"advertise a label too long", func(c *Config) { c.Passive.AdvertisedAddress = strings.Repeat("a", 64) }, `passive.advertisedAddress: "` + strings.Repeat("a", 64) + `" is neither an IP address nor a host name`},
		{"advertise a bad IP", func(c *Config) { c.Passive.AdvertisedAddress = "1.2.3" }, `passive.advertisedAddress: "1.2.3" is neither an IP address nor a host name`},
		{"advertise everything", func(c *Config) { c.Passive.AdvertisedAddress = "0.0.0.0" }, "passive.advertisedAddress: 0.0.0.0 is no address that a client can connect to: write the one by which clients reach this server"},
		{"charset latin1", func(c *Config) { c.Charset = CharsetLatin1 }, ""},
		{"charset utf-8", func(c *Config) { c.Charset = CharsetUTF8 }, ""},
		{"charset of no kind", func(c *Config) { c.Charset = "Latin-1" }, `charset: "Latin-1" is not known: write one of utf-8, latin1, latin2, latin9, windows-1250, windows-1251, windows-1252, windows-1253, windows-1254, koi8-r, cp437, cp850`},
		{"address from the header", func(c *Config) {
			c.Passive.AdvertisedAddressFrom = AddressFromProxyProtocol
			c.ProxyProtocol = ProxyProtocol{Mode: ProxyAccept, Trusted: Networks(netip.MustParsePrefix("10.0.0.0/8"))}
		}, ""},
		{"address from a header that nobody sends", func(c *Config) { c.Passive.AdvertisedAddressFrom = AddressFromProxyProtocol }, "passive.advertisedAddressFrom: ProxyProtocol needs headers: set proxyProtocol.mode to Accept or Require, or leave it out"},
		{"address from elsewhere", func(c *Config) { c.Passive.AdvertisedAddressFrom = "DNS" }, `passive.advertisedAddressFrom: "DNS" is unknown: write ProxyProtocol, or leave it out`},
		{"peer check", func(c *Config) { c.Passive.PeerCheck = "Off" }, `passive.peerCheck: "Off" is unknown: write Strict or Relaxed`},
		{"reservation too short", func(c *Config) { c.Passive.ReservationTimeout = Duration(time.Millisecond) }, "passive.reservationTimeout: 1ms is out of range: write 1s to 5m0s"},

		{"user without name", func(c *Config) { c.Users[1].Name = "" }, "users[1].name: is missing"},
		{"user name too long", func(c *Config) { c.Users[1].Name = strings.Repeat("u", 65) }, "users[1].name: has 65 bytes: shorten it to 64"},
		{"user ftp", func(c *Config) { c.Users[1].Name = "ftp" }, `users[1].name: "ftp" is kept for anonymous login: choose another, or use the field anonymous`},
		{"user with a blank", func(c *Config) { c.Users[1].Name = "a b" }, `users[1].name: "a b" holds a blank, a slash or a character that can't be printed: choose another`},
		{"user with a line break", func(c *Config) { c.Users[1].Name = "a\nb" }, `users[1].name: "a\nb" holds a blank, a slash or a character that can't be printed: choose another`},
		{"user with a slash", func(c *Config) { c.Users[1].Name = "a/b" }, `users[1].name: "a/b" holds a blank, a slash or a character that can't be printed: choose another`},
		{"user not UTF-8", func(c *Config) { c.Users[1].Name = "a\xff" }, `users[1].name: "a\xff" holds a blank, a slash or a character that can't be printed: choose another`},
		{"two users of one name", func(c *Config) { c.Users[1].Name = "alice" }, `users[1].name: "alice" is the name of users[0] too: names must be unique`},
		{"user without hash", func(c *Config) { c.Users[0].PasswordHash = "" }, "users[0].passwordHash: is missing: give an argon2id or bcrypt hash of the password"},
		{"password instead of hash", func(c *Config) { c.Users[0].PasswordHash = "secret" }, "users[0].passwordHash: not an argon2id ($argon2id$v=19$m=...,t=...,p=...$salt$hash) or bcrypt ($2b$...) hash"},
		{"home above", func(c *Config) { c.Users[1].Home = "../x" }, `users[1].home: "../x" leaves the storage root: use a path below it`},
		{"home above by a detour", func(c *Config) { c.Users[1].Home = "a/../../x" }, `users[1].home: "a/../../x" leaves the storage root: use a path below it`},
		{"home is ..", func(c *Config) { c.Users[1].Home = ".." }, `users[1].home: ".." leaves the storage root: use a path below it`},
		{"home absolute", func(c *Config) { c.Users[1].Home = "/x" }, `users[1].home: "/x" is absolute: use a path relative to the storage root`},
		{"home unclean", func(c *Config) { c.Users[1].Home = "a//b/" }, `users[1].home: "a//b/" is not in its shortest form: write "a/b"`},
		{"home with NUL", func(c *Config) { c.Users[1].Home = "a\x00b" }, `users[1].home: "a\x00b" holds a character that can't be printed: choose another`},
		{"home of the daemon's", func(c *Config) { c.Users[1].Home = "a/.Ftpd-x" }, `users[1].home: "a/.Ftpd-x" has a part that begins with .ftpd-, in some spelling: such names belong to the daemon; rename that part`},
		{"home is the root", func(c *Config) { c.Users[1].Home = "." }, ""},
		{"home begins with dots", func(c *Config) { c.Users[1].Home = "..a/b c" }, ""},
		{"access", func(c *Config) { c.Users[1].Access = "All" }, `users[1].access: "All" is unknown: write ReadOnly, ReadWrite or UploadOnly`},
		{"anonymous home", func(c *Config) { c.Anonymous.Home = ".." }, `anonymous.home: ".." leaves the storage root: use a path below it`},
		{"anonymous access", func(c *Config) { c.Anonymous.Access = "x" }, `anonymous.access: "x" is unknown: write ReadOnly, ReadWrite or UploadOnly`},

		{"idle", func(c *Config) { c.Timeouts.Idle = Duration(time.Second) }, "timeouts.idle: 1s is out of range: write 10s to 24h0m0s"},
		{"login", func(c *Config) { c.Timeouts.Login = Duration(time.Hour) }, "timeouts.login: 1h0m0s is out of range: write 1s to 10m0s"},
		{"data", func(c *Config) { c.Timeouts.Data = -1 }, "timeouts.data: -1ns is out of range: write 1s to 1h0m0s"},
		{"lame duck", func(c *Config) { d := Duration(-1); c.Drain.LameDuck = &d }, "drain.lameDuck: -1ns is out of range: write 0s to 5m0s"},
		{"grace", func(c *Config) { c.Drain.Grace = Duration(200 * time.Hour) }, "drain.grace: 200h0m0s is out of range: write 1s to 168h0m0s"},
		{"drain idle", func(c *Config) { c.Drain.Idle = Duration(25 * time.Hour) }, "drain.idle: 25h0m0s is out of range: write 1s to 24h0m0s"},

		{"all at once", func(c *Config) { c.Storage.Root, c.Users[0].Home, c.Timeouts.Data = "", "/", 0 },
			"storage.root: is missing: name the directory that holds the homes\n" +
				`users[0].home: "/" is absolute: use a path relative to the storage root` + "\n" +
				"timeouts.data: 0s is out of range: write 1s to 1h0m0s"},
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

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"empty", "", "apiVersion"},
		{"no YAML", "{", "not valid YAML"},
		{"unknown field", "apiVersion: ftpd.ftp-operator.io/v1alpha1\ncolour: red\n", `unknown field "colour"`},
		{"field twice", "greeting: a\ngreeting: b\n", `"greeting" already set`},
		{"duration", "timeouts: {idle: 5}\n", "not valid YAML"},
		{"duration text", "timeouts: {idle: five}\n", `duration "five" is not of the form 90s, 5m or 1h30m`},
		{"ports", "passive: {ports: 30009-30000}\n", `passive port range "30009-30000" is reversed: write 30000-30009`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Parse([]byte(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Parse gives %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestStaticChanges(t *testing.T) {
	for _, c := range []struct {
		change func(*Config)
		want   []string
	}{
		{func(*Config) {}, nil},
		{func(c *Config) {
			c.Users, c.Greeting, c.Anonymous.Enabled = nil, "x", true
			c.Passive.AdvertisedAddress, c.Timeouts.Idle, c.Drain.Grace = "a", 1, 1
		}, nil},
		{func(c *Config) { c.Listen = []string{":21"} }, []string{"listen"}},
		{func(c *Config) { c.AdminAddress = ":1"; c.Storage.Root = "/x" }, []string{"adminAddress", "storage.root"}},
		{func(c *Config) { c.Passive.Ports = nil; c.Passive.PortsFile = "/x" }, []string{"passive.ports", "passive.portsFile"}},
	} {
		after := valid()
		c.change(after)
		if got := StaticChanges(valid(), after); !reflect.DeepEqual(got, c.want) {
			t.Errorf("StaticChanges = %v, want %v", got, c.want)
		}
	}
}

// A configuration that is written and read again must be the same, and must be written as the same bytes.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		file, err := c.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(file)
		if err != nil {
			t.Fatalf("%v\n%s", err, file)
		}
		if !reflect.DeepEqual(c, again) {
			t.Fatalf("%+v became %+v by\n%s", c, again, file)
		}
		if twice, err := again.Marshal(); err != nil || !bytes.Equal(twice, file) {
			t.Fatalf("written again it is\n%s\nnot\n%s (%v)", twice, file, err)
		}
		if Hash(file) != Hash(bytes.Clone(file)) || len(Hash(file)) != 16 {
			t.Fatalf("Hash is %q", Hash(file))
		}
	})
}

// drawConfig draws a valid configuration with its defaults set.
func drawConfig(t *rapid.T) *Config {
	duration := func(least, most time.Duration) Duration {
		return Duration(rapid.Int64Range(int64(least), int64(most)).Draw(t, "duration"))
	}
	access := rapid.SampledFrom([]Access{AccessReadOnly, AccessReadWrite, AccessUploadOnly})
	home := rapid.StringMatching(`\.|[a-zA-Z0-9äß:#'"&*!%@-][a-z ]{0,8}(/[a-z.~]{1,3}x){0,3}`)
	lameDuck := duration(0, 5*time.Minute)
	c := &Config{
		APIVersion: APIVersion,
		Listen:     rapid.SliceOfNDistinct(rapid.SampledFrom([]string{":2121", "127.0.0.1:2122", "[::1]:0"}), 1, 3, rapid.ID).Draw(t, "listen"),
		Greeting:   rapid.StringMatching(`[ -~]{1,40}`).Draw(t, "greeting"),
		Storage:    drawStorage(t),
		Passive: Passive{
			Ports:              drawPorts(t, 3000).Minus(NewPortSet(990, 2121, 2122)), // the control ports
			AdvertisedAddress:  rapid.SampledFrom([]string{"", "192.0.2.1", "::1", "ftp.example.org"}).Draw(t, "address"),
			RequireAddress:     rapid.Bool().Draw(t, "require"),
			PeerCheck:          rapid.SampledFrom([]PeerCheck{PeerCheckStrict, PeerCheckRelaxed}).Draw(t, "peer check"),
			ReservationTimeout: duration(time.Second, 5*time.Minute),
		},
		Active: Active{Enabled: rapid.Bool().Draw(t, "active")},
		Anonymous: Anonymous{
			Enabled: rapid.Bool().Draw(t, "anonymous"), Home: home.Draw(t, "home"), Access: access.Draw(t, "access"),
		},
		Timeouts: Timeouts{Idle: duration(10*time.Second, time.Hour), Login: duration(time.Second, time.Minute), Data: duration(time.Second, time.Hour), Handshake: duration(time.Second, time.Minute)},
		Drain:    Drain{LameDuck: &lameDuck, Grace: duration(time.Second, time.Hour), Idle: duration(time.Second, time.Hour)},
	}
	for _, name := range rapid.SliceOfNDistinct(rapid.StringMatching(`u[!-.0-~é]{0,20}`), 0, 4, rapid.ID).Draw(t, "users") {
		c.Users = append(c.Users, User{Name: name, PasswordHash: bcryptHash, Home: home.Draw(t, "home"), Access: access.Draw(t, "access"), Rights: drawRights(t), Quota: drawQuota(t)})
	}
	c.Anonymous.Rights, c.Anonymous.Quota = drawRights(t), drawQuota(t)
	c.TLS, c.Passive.Overrides = drawTLS(t), drawOverrides(t)
	c.Active.SourcePort = rapid.SampledFrom([]uint16{0, 20}).Draw(t, "source port")
	c.Limits, c.Bans, c.ProxyProtocol = drawLimits(t), drawBans(t, duration), drawProxyProtocol(t)
	return c
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"minimal.yaml", "full.yaml", "minimal.golden.yaml", "full.golden.yaml"} {
		seed, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Add([]byte("users: [{name: a, home: ../..}]"))
	f.Add([]byte("passive: {ports: '1024-65535'}"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("tls: {minVersion: 1.2, minversion: x}\nA: 1\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		agree(t, file)
		c, err := Parse(file)
		if err != nil {
			return
		}
		written, err := c.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(written)
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		if changed := StaticChanges(c, again); changed != nil {
			t.Fatalf("%v changed by writing and reading", changed)
		}
		if twice, err := again.Marshal(); err != nil || !bytes.Equal(twice, written) {
			t.Fatalf("written again it is\n%s\nnot\n%s (%v)", twice, written, err)
		}
	})
}
