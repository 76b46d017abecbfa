package load

import (
	"strings"
	"testing"
)

func TestEPSVPort(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]uint16{
		"229 Entering Extended Passive Mode (|||30001|)": 30001,
		"229 Ok (|||1|).":   1,
		"229 (|||70000|)":   0,
		"229 no port":       0,
		"229 (|||x|)":       0,
		"227 (|||30001|)":   0,
		"229 Mode (|||12":   0,
		"425 no port (|||)": 0,
		"229 (|||65536|)":   0,
		"229 (|||||)":       0,
		"229 (|||0|)":       0,
	} {
		if got, ok := epsvPort([]byte(line)); ok != (want != 0) || ok && got != want {
			t.Errorf("%q: got %d, %v", line, got, ok)
		}
	}
}

// Replies are found however they are cut, also those of several lines.
func TestReplies(t *testing.T) {
	t.Parallel()
	const text = "220-welcome\r\n 220 not yet\r\n220 ready\r\n331 go on\n"
	for size := 1; size <= len(text); size++ {
		var r replies
		var got []string
		for rest := text; rest != ""; {
			p, err := r.space()
			if err != nil {
				t.Fatal(err)
			}
			n := copy(p, rest[:min(size, len(rest))])
			rest = rest[n:]
			r.grew(n)
			for line := r.next(); line != nil; line = r.next() {
				got = append(got, string(line))
			}
		}
		if strings.Join(got, "|") != "220 ready|331 go on" {
			t.Errorf("cut into pieces of %d: %q", size, got)
		}
	}
}

func TestLineTooLong(t *testing.T) {
	t.Parallel()
	var r replies
	p, err := r.space()
	if err != nil {
		t.Fatal(err)
	}
	r.grew(len(p))
	if r.next() != nil {
		t.Error("a line without an end is a reply")
	}
	if _, err := r.space(); err == nil {
		t.Error("there is space for more")
	}
}
