package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Load must ignore what a newer version may add to a file: line is added to a valid file.
func TestLoadIgnoresWhatItDoesNotKnow(t *testing.T) {
	const users = "users:\n- {name: alice, passwordHash: " + bcryptHash + "}\n- {name: bob, passwordHash: " + bcryptHash + "}\n"
	const tls = "tls: {certificates: [{certFile: a, keyFile: b}], clientAuth: {caFile: c}"
	for _, c := range []struct {
		name, line string
		ignored    []string
		holds      func(*Config) bool
	}{
		{"nothing", users, nil, func(c *Config) bool { return len(c.Users) == 2 }},
		{"a key", "colour: {of: [the, greeting]}", []string{"colour"}, nil},
		{"a key of a section", "timeouts: {idle: 1m, between: 5}", []string{"timeouts.between"},
			func(c *Config) bool { return c.Timeouts.Idle.String() == "1m0s" }},
		{"a key of a user", "users: [{name: alice, passwordHash: " + bcryptHash + ", shell: none}]", []string{"users[0].shell"},
			func(c *Config) bool { return c.Users[0].Name == "alice" }},
		{"a key below a pointer", tls + ", alpn: [ftp]}", []string{"tls.alpn"}, nil},
		{"a key that can't be printed", `"a\e[31m\u202e": 1`, []string{`"a\x1b[31m\u202e"`}, nil},
		{"a key that is a number", "5: x", []string{"5"}, nil},

		{"peer check", "passive: {ports: '30000', peerCheck: Newer}", []string{"passive.peerCheck: its value is not known, Strict is used"},
			func(c *Config) bool { return c.Passive.PeerCheck == PeerCheckStrict }},
		{"TLS", tls + ", minVersion: '1.4', login: A, data: B, sessionReuse: C}",
			[]string{"tls.data: its value is not known, Required is used", "tls.login: its value is not known, Required is used",
				"tls.minVersion: its value is not known, 1.3 is used", "tls.sessionReuse: its value is not known, Require is used"},
			func(c *Config) bool {
				return c.TLS.MinVersion == TLS13 && c.TLS.Login == PolicyRequired && c.TLS.Data == PolicyRequired && c.TLS.SessionReuse == SessionReuseRequire
			}},
		{"proxy", "proxyProtocol: {mode: Newer, trusted: [10.0.0.0/8]}", []string{"proxyProtocol.mode: its value is not known, Require is used"},
			func(c *Config) bool { return c.ProxyProtocol.Mode == ProxyRequire }},
		{"durability", "storage: {root: /data, durability: Newer, partialUploads: Newer}",
			[]string{"storage.durability: its value is not known, Fsync is used", "storage.partialUploads: its value is not known, Discard is used"},
			func(c *Config) bool {
				return c.Storage.Durability == DurabilityFsync && c.Storage.PartialUploads == PartialUploadsDiscard
			}},
		{"access", strings.Replace(users, "{", "{access: Newer, ", 1), []string{"users[0].access: its value is not known, so the user can't log in"},
			func(c *Config) bool { return len(c.Users) == 1 && c.Users[0].Name == "bob" }},
		{"a right", strings.Replace(users, "{", "{rights: [Read, Newer], ", 1), []string{"users[0].rights: some of them are not known and are not granted"},
			func(c *Config) bool {
				return len(c.Users) == 2 && slices.Equal(c.Users[0].Rights, []Right{RightRead})
			}},
		// Without a right the access class would apply, which is ReadWrite by default.
		{"only rights that are not known", strings.Replace(users, "{", "{rights: [Newer], ", 1),
			[]string{"users[0].rights: none of them is known, so the user can't log in"},
			func(c *Config) bool { return len(c.Users) == 1 && c.Users[0].Name == "bob" }},
		{"rights take the place of an access that is not known", strings.Replace(users, "{", "{access: Newer, rights: [List], ", 1), nil,
			func(c *Config) bool { return len(c.Users) == 2 && c.Users[0].Rights[0] == RightList }},
		{"password hash", "users: [{name: alice, passwordHash: '$scrypt$ln=16,r=8,p=1$aa$bb'}]",
			[]string{"users[0].passwordHash: its kind is not known, so the user can't log in"}, func(c *Config) bool { return len(c.Users) == 0 }},
		{"anonymous", "anonymous: {enabled: true, access: Newer}", []string{"anonymous.access: its value is not known, so the user can't log in"},
			func(c *Config) bool { return !c.Anonymous.Enabled }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var file strings.Builder
			file.WriteString("apiVersion: " + APIVersion + "\n" + c.line + "\n")
			for key, line := range map[string]string{"storage:": "storage: {root: /data}\n", "passive:": "passive: {ports: '30000'}\n"} {
				if !strings.HasPrefix(c.line, key) {
					file.WriteString(line)
				}
			}
			cfg, ignored, err := load([]byte(file.String()))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(ignored, c.ignored) {
				t.Errorf("ignored %q, want %q", ignored, c.ignored)
			}
			if c.holds != nil && !c.holds(cfg) {
				t.Errorf("got %+v", cfg)
			}
			if err := cfg.Validate(); err != nil {
				t.Errorf("what is left is not valid: %v", err)
			}
			if _, err := Parse([]byte(file.String())); (err == nil) != (len(ignored) == 0 && !strings.Contains(c.line, "Newer")) {
				t.Errorf("Parse, which is strict, says %v", err)
			}
		})
	}
}

// Every type with a fixed set of values, which may grow, must have a rule for unknown values.
func TestEveryChoiceHasASafestValue(t *testing.T) {
	c := valid()
	c.Users = append(c.Users, User{Name: "last", PasswordHash: bcryptHash, Home: "last"})
	c.Anonymous = Anonymous{Enabled: true, Home: "pub", Rights: []Right{RightList}}
	c.TLS = &TLS{Certificates: []Certificate{{CertFile: "a", KeyFile: "b"}}, ClientAuth: ClientAuth{CAFile: "c"}}
	c.ProxyProtocol.Trusted = []Network{{}}
	if err := c.ProxyProtocol.Trusted[0].UnmarshalText([]byte("10.0.0.0/8")); err != nil {
		t.Fatal(err)
	}
	c.SetDefaults()
	own := reflect.TypeFor[Config]().PkgPath()
	changed := 0
	var change func(v reflect.Value)
	change = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				change(v.Elem())
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() && v.Type().PkgPath() == own {
					change(v.Field(i))
				}
			}
		case reflect.Slice:
			for i := range v.Len() {
				change(v.Index(i))
			}
		case reflect.String:
			if v.Type().PkgPath() == own { // a type of this package: a set of values
				v.SetString("Newer")
				changed++
			}
		}
	}
	change(reflect.ValueOf(c))
	if changed < 14 {
		t.Fatalf("only %d values were changed", changed)
	}
	file, err := c.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	loaded, ignored, err := load(file)
	if err != nil {
		t.Fatalf("a value that is not known has no rule: %v", err)
	}
	if len(loaded.Users) != 0 || loaded.Anonymous.Enabled || len(ignored) < 10 {
		t.Errorf("got %+v, ignored %q", loaded, ignored)
	}
}

// Load must read what Parse accepts in the same way and ignore nothing of it; Parse must refuse what Load refuses.
func TestLoadAgreesWithParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		file, err := drawConfig(t).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		agree(t, file)
	})
	for _, name := range []string{"minimal", "full"} {
		file, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		agree(t, file)
	}
	for _, bad := range []string{
		"", "{", "apiVersion: ftpd.ftp-operator.io/v2", "greeting: a\ngreeting: b\n", "timeouts: {idle: 5}", "users: {}",
		"storage: {root: /data}\npassive: {ports: '30000', reservationTimeout: 1ns}\napiVersion: " + APIVersion,
	} {
		if _, _, err := load([]byte(bad)); err == nil {
			t.Errorf("Load takes %q", bad)
		}
	}
}

func agree(t rapid.TB, file []byte) {
	strict, err := Parse(file)
	loaded, ignored, loadErr := load(file)
	switch {
	case err == nil && (loadErr != nil || len(ignored) > 0 || !reflect.DeepEqual(strict, loaded)):
		t.Fatalf("Load makes %+v, ignores %q (%v); Parse makes %+v of\n%s", loaded, ignored, loadErr, strict, file)
	case err != nil && loadErr == nil && len(ignored) == 0:
		t.Fatalf("Load takes and ignores nothing of what Parse refuses: %v\n%s", err, file)
	}
}

// The list that is logged must be limited in size.
func TestIgnoredIsBounded(t *testing.T) {
	file := "apiVersion: " + APIVersion + "\nstorage: {root: /data}\npassive: {ports: '30000'}\n" + strings.Repeat("x", 1000) + ": 1\n"
	for i := range 200 {
		file += strings.Repeat("k", i+1) + ": 1\n"
	}
	_, ignored, err := load([]byte(file))
	if err != nil || len(ignored) != maxIgnored+1 || ignored[maxIgnored] != "and 151 more" || len(strings.Join(ignored, "")) > (maxIgnored+1)*(maxIgnoredText+5) {
		t.Errorf("got %d, %q, %v", len(ignored), ignored, err)
	}
}

// load returns the parts of what Load returns.
func load(file []byte) (*Config, []string, error) {
	loaded, err := Load(file)
	if err != nil {
		return nil, nil, err
	}
	return loaded.Config, loaded.Ignored, nil
}
