package wire

import (
	"slices"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

func TestSplitWords(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string][]string{
		"":                      nil,
		"  a  b ":               {"a", "b"},
		`"a b" c`:               {"a b", "c"},
		`"a ""b"" c" "" d`:      {`a "b" c`, "", "d"},
		`a"b "c"`:               {`a"b`, "c"},
		`"a`:                    {"error"},
		`"a"b`:                  {"error"},
		`"a" "b`:                {"error"},
		"\"with\ttab\" unusual": {"with\ttab", "unusual"},
	} {
		got, err := SplitWords(arg)
		if err != nil {
			got = []string{"error"}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", arg, got, want)
		}
	}
}

// SplitWords returns words that were quoted as they were.
func FuzzSplitWords(f *testing.F) {
	f.Add(`target`, `a "b"`)
	f.Add(``, ` `)
	f.Add(`""`, `x`)
	f.Fuzz(func(t *testing.T, a, b string) {
		_, _ = SplitWords(a)
		quoted := QuotePath(a) + " " + QuotePath(b)
		got, err := SplitWords(quoted)
		if err != nil || !slices.Equal(got, []string{a, b}) {
			t.Errorf("%q became %q, %v", quoted, got, err)
		}
	})
}

// ParseRange accepts only ranges that are valid for files of any size.
func FuzzRange(f *testing.F) {
	for _, seed := range []string{"0 0", "1 0", "2 4", "5 4", "-1 5", "0 9223372036854775806", "0 9223372036854775807", "99999999999999999999 1", "1  2", "a b"} {
		f.Add(seed, int64(10))
	}
	f.Fuzz(func(t *testing.T, arg string, size int64) {
		r, err := ParseRange(arg)
		if err != nil || size < 0 {
			return
		}
		if r != nil && (r.Start < 0 || r.End <= r.Start) {
			t.Fatalf("%q is %+v", arg, r)
		}
		if part, ok := r.Within(size); ok && (part.Start < 0 || part.Start > part.End || part.End > size) {
			t.Errorf("%q of %d octets is %+v", arg, size, part)
		}
	})
}

// String returns facts in a form that ParseFactChanges parses to the same facts.
func FuzzFactChanges(f *testing.F) {
	for _, seed := range []string{"Modify=20020717210715;", "UNIX.mode=0644;modify=20020717210715.5;", "Create=20020717210715;", "Modify=;", ";", "", "Size=3;", "UNIX.mode=999;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseFactChanges(text)
		if err != nil {
			return
		}
		again, err := ParseFactChanges(c.String())
		if err != nil || again.String() != c.String() {
			t.Errorf("%q is %q, then %q, %v", text, c, again, err)
		}
		if c.Mode != nil && *c.Mode > 0o777 {
			t.Errorf("%q sets mode %o", text, *c.Mode)
		}
	})
}

// ParseHost accepts only a name without a port, or an address.
func FuzzHost(f *testing.F) {
	for _, seed := range []string{"ftp.example.com", "ftp.example.com:21", "192.0.2.1", "192.0.2.1:21", "[2001:db8::1]", "[2001:db8::1]:21", "[::ffff:192.0.2.1]", "[fe80::1%eth0]", "::1", "", "a b", "*.example.com", "xn--e1afmkfd.com.", "[", "[]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		h, err := ParseHost(arg, config.IsHostName)
		if err != nil {
			return
		}
		if h.Name == "" || !h.Addr.IsValid() && strings.ContainsAny(h.Name, ":[]% /*\x00\r\n") || h.Addr.Zone() != "" {
			t.Errorf("%q is %+v", arg, h)
		}
		if again, err := ParseHost(h.Name, config.IsHostName); err != nil || again != h {
			t.Errorf("%q is %+v, then %+v, %v", arg, h, again, err)
		}
	})
}

// ParseUtime returns a time and a name for every argument that it accepts.
func FuzzUtime(f *testing.F) {
	for _, seed := range []string{"20060708101112 a file", "200607081011 x", "a b 20010101000000 20020202020202 20030303030303 UTC", "20010101000000 20020202020202 20030303030303 UTC", "20060708101112", "000101010000 0", "", " "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		name, when, err := ParseUtime(arg)
		if err == nil && (name == "" || when.IsZero() || !strings.Contains(arg, name)) {
			t.Errorf("%q is %q, %v", arg, name, when)
		}
	})
}

// ParseSum returns a name that is a part of the argument, and a valid range.
func FuzzSum(f *testing.F) {
	for _, seed := range []string{`"a file" 2 5`, `a file 2 5`, `a file 2`, `file`, `"file`, `"a""b" 1`, `1 2 3`, ` x`, `"x" 5 2`} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, arg string, there bool) {
		file, part, err := ParseSum(arg, func(string) bool { return there })
		if err != nil {
			return
		}
		if !strings.HasPrefix(strings.TrimLeft(arg, " "), `"`) && !strings.Contains(arg, file) {
			t.Errorf("%q names %q", arg, file)
		}
		if part != nil && (part.Start < 0 || part.End < part.Start) {
			t.Errorf("%q is of %+v", arg, part)
		}
	})
}
