package wire

import (
	"errors"
	"net/netip"
	"testing"
)

func TestParseHostPort(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string]string{
		"127,0,0,1,4,1":               "127.0.0.1:1025",
		"192,0,2,255,255,255":         "192.0.2.255:65535",
		" 10,0,0,1,0,21 ":             "10.0.0.1:21",
		"":                            "",
		"1,2,3,4,5":                   "",
		"1,2,3,4,5,6,7":               "",
		"256,0,0,1,4,1":               "",
		"-1,0,0,1,4,1":                "",
		"127,0,0,1,4,+1":              "",
		"127,0,0,1,4,":                "",
		"a,b,c,d,e,f":                 "",
		"127.0.0.1:1025":              "",
		"127,0,0,1,4,1,":              "",
		"0x7f,0,0,1,4,1":              "",
		"127, 0,0,1,4,1":              "",
		"99999999999999999,0,0,1,4,1": "",
	} {
		got, err := ParseHostPort(arg)
		if (err == nil) != (want != "") || err == nil && got.String() != want {
			t.Errorf("parseHostPort(%q) = %v, %v; want %q", arg, got, err, want)
		}
	}
}

func TestParseExtended(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string]string{
		"|1|132.235.1.2|6275|":           "132.235.1.2:6275",
		"|2|1080::8:800:200C:417A|5282|": "[1080::8:800:200c:417a]:5282",
		"!1!127.0.0.1!1025!":             "127.0.0.1:1025",
		"|2|::ffff:192.0.2.1|1025|":      "192.0.2.1:1025",
		"|3|127.0.0.1|1025|":             "family",
		"|0|127.0.0.1|1025|":             "family",
		"|1|::1|1025|":                   "",
		"|2|127.0.0.1|1025|":             "",
		"|2|fe80::1%eth0|1025|":          "",
		"|1|127.0.0.1|0|":                "",
		"|1|127.0.0.1|65536|":            "",
		"|1|127.0.0.1|-1|":               "",
		"|1|localhost|1025|":             "",
		"|1|127.0.0.1|1025":              "",
		"1|127.0.0.1|1025|":              "",
		"||||":                           "",
		"|":                              "",
		"":                               "",
		" 1 127.0.0.1 1025 ":             "",
	} {
		got, err := ParseExtended(arg)
		switch {
		case want == "family" && !errors.Is(err, ErrFamily):
			t.Errorf("parseExtended(%q): %v, want errFamily", arg, err)
		case want == "" && (err == nil || errors.Is(err, ErrFamily)):
			t.Errorf("parseExtended(%q) = %v, %v; want a syntax error", arg, got, err)
		case want != "" && want != "family" && (err != nil || got.String() != want):
			t.Errorf("parseExtended(%q) = %v, %v; want %v", arg, got, err, want)
		}
	}
}

func FuzzHostPort(f *testing.F) {
	for _, seed := range []string{"127,0,0,1,4,1", "256,0,0,1,4,1", "1,2,3", ",,,,,", "-1,0,0,0,0,0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		got, err := ParseHostPort(arg)
		if err != nil {
			return
		}
		if !got.Addr().Is4() {
			t.Errorf("%q gave %v", arg, got)
		}
		back, err := ParseHostPort(FormatHostPort(got.Addr(), got.Port()))
		if err != nil || back != got {
			t.Errorf("%v came back as %v, %v", got, back, err)
		}
	})
}

func FuzzExtended(f *testing.F) {
	for _, seed := range []string{"|1|127.0.0.1|1025|", "|2|::1|1025|", "|2|fe80::1%lo|1025|", "!1!1.2.3.4!0!", "|3|x|1|", "|||||"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		got, err := ParseExtended(arg)
		if err == nil && (!got.IsValid() || got.Port() == 0 || got.Addr().Zone() != "" || got.Addr() != got.Addr().Unmap()) {
			t.Errorf("%q gave %v", arg, got)
		}
		if err != nil && got != (netip.AddrPort{}) {
			t.Errorf("%q gave %v beside %v", arg, got, err)
		}
	})
}
