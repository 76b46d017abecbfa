package config

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParsePortSet(t *testing.T) {
	for _, c := range []struct {
		text, want, err string
	}{
		{text: "", want: ""},
		{text: " \n", want: ""},
		{text: "30000", want: "30000"},
		{text: "30000-30009,30020", want: "30000-30009,30020"},
		{text: " 30001 - 30002 , 30000 ", want: "30000-30002"},
		{text: "30005,30000-30009,30005", want: "30000-30009"},
		{text: "1024-65535", want: "1024-65535"},
		{text: "65535,1024", want: "1024,65535"},
		{text: "30000,", err: `passive port "" is not a number: write ports as in 30000-30009,30020`},
		{text: "30000-", err: `passive port "" is not a number`},
		{text: "30000-30001-30002", err: `passive port "30001-30002" is not a number`},
		{text: "x", err: `passive port "x" is not a number`},
		{text: "-1", err: `passive port "" is not a number`},
		{text: "1023", err: "passive port 1023 is outside 1024-65535"},
		{text: "65536", err: "passive port 65536 is outside 1024-65535"},
		{text: "30000-99999999999999999999", err: "is outside 1024-65535"},
		{text: "30009-30000", err: `passive port range "30009-30000" is reversed: write 30000-30009`},
	} {
		got, err := ParsePortSet(c.text)
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("ParsePortSet(%q) gives %v, want %q", c.text, err, c.err)
			}
		case err != nil || got.String() != c.want:
			t.Errorf("ParsePortSet(%q) = %q, %v; want %q", c.text, got, err, c.want)
		}
	}
}

// A text that repeats ports must cost no more memory. A pod's annotation has up to 256 KiB, and the report of a
// daemon that is not ours 1 MiB.
func TestParsePortSetRepeated(t *testing.T) {
	const times = 5000
	text := strings.TrimSuffix(strings.Repeat("1024-65535,", times), ",")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := ParsePortSet(text)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != "1024-65535" {
		t.Fatalf("got %q", got)
	}
	if bytes, most := after.TotalAlloc-before.TotalAlloc, uint64(2<<20); bytes > most {
		t.Errorf("%d repeated ranges take %d bytes, want at most %d", times, bytes, most)
	}
}

func TestPortRange(t *testing.T) {
	for _, c := range []struct {
		start, end uint16
		want       int
	}{{30000, 30009, 10}, {65535, 65535, 1}, {65530, 65535, 6}, {30001, 30000, 0}, {0, 65535, 65536}} {
		if got := PortRange(c.start, c.end); len(got) != c.want {
			t.Errorf("PortRange(%d, %d) has %d ports, want %d", c.start, c.end, len(got), c.want)
		}
	}
}

// drawPorts draws a set of ports with runs and gaps, from 1024 to most and with at least one port.
func drawPorts(t *rapid.T, most uint16) PortSet {
	s := PortSet(rapid.SliceOfN(rapid.Uint16Range(MinPassivePort, MinPassivePort+50), 1, 20).Draw(t, "near"))
	s = append(s, rapid.SliceOfN(rapid.Uint16Range(MinPassivePort, most), 0, 5).Draw(t, "far")...)
	return NewPortSet(s...)
}

func TestPortSetRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawPorts(t, MaxPassivePort)
		if !slices.IsSorted(s) || len(slices.Compact(slices.Clone(s))) != len(s) {
			t.Fatalf("not a sorted set: %v", []uint16(s))
		}
		again, err := ParsePortSet(s.String())
		if err != nil || !again.Equal(s) {
			t.Fatalf("%s became %s (%v)", s, again, err)
		}
		probe := rapid.Uint16().Draw(t, "probe")
		if s.Contains(probe) != slices.Contains(s, probe) {
			t.Fatalf("Contains(%d) is wrong", probe)
		}
	})
}

func FuzzParsePortSet(f *testing.F) {
	for _, seed := range []string{"", "30000-30009,30020", "1024-65535", "65535-1024", ",,", "1024--1024", " 1024 -\t1025 ", "٣٠٠٠٠"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParsePortSet(text)
		if err != nil {
			return
		}
		if len(s) > 0 && s[0] < MinPassivePort || !slices.IsSorted(s) {
			t.Fatalf("%q gives %v", text, []uint16(s))
		}
		if again, err := ParsePortSet(s.String()); err != nil || !again.Equal(s) {
			t.Fatalf("%q gives %s, which gives %s (%v)", text, s, again, err)
		}
	})
}
