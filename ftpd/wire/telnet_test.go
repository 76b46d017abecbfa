package wire

import (
	"bytes"
	"strings"
	"testing"
)

// filter passes bytes through a telnetFilter.
func filter(in []byte) (text, answers []byte) {
	var f telnetFilter
	for _, b := range in {
		out, ok, answer := f.next(b)
		if ok {
			text = append(text, out)
		}
		answers = append(answers, answer...)
	}
	return text, answers
}

func TestTelnetFilter(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ in, text, answers string }{
		"plain":                    {"NOOP\r\n", "NOOP\r\n", ""},
		"IP and Synch before ABOR": {"\xff\xf4\xff\xf2ABOR\r\n", "ABOR\r\n", ""},
		"doubled IAC":              {"a\xff\xffb", "a\xffb", ""},
		"WILL is refused":          {"\xff\xfb\x18x", "x", "\xff\xfe\x18"},
		"DO is refused":            {"\xff\xfd\x06x", "x", "\xff\xfc\x06"},
		"WONT and DONT: no answer": {"\xff\xfc\x06\xff\xfe\x06x", "x", ""},
		"subnegotiation":           {"a\xff\xfa\x18\x00b\xff\xffc\xff\xf0d", "ad", ""},
		"CR NUL is CR":             {"a\r\x00b\r\n", "a\rb\r\n", ""},
		"NUL elsewhere stays":      {"a\x00b", "a\x00b", ""},
		"IAC after CR":             {"a\r\xff\xf1\n", "a\r\n", ""},
		"IAC without a command":    {"\xffABOR\r\n\xff\r\x00", "ABOR\r\n\r", ""},
		"option IAC":               {"\xff\xfd\xffx", "x", "\xff\xfc\xff"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, answers := filter([]byte(tt.in))
			if string(text) != tt.text || string(answers) != tt.answers {
				t.Errorf("got %q and %q, want %q and %q", text, answers, tt.text, tt.answers)
			}
		})
	}
}

func FuzzTelnetFilter(f *testing.F) {
	for _, seed := range []string{"NOOP\r\n", "\xff\xf4\xff\xf2ABOR\r\n", "\xff\xfa\x18\xff\xf0", "\xff", "a\r\x00", "\xff\xfb\x01\xff\xfd\x03"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		text, answers := filter(in)
		if len(text) > len(in) || len(answers) > len(in) {
			t.Errorf("more came out (%d, %d) than went in (%d)", len(text), len(answers), len(in))
		}
		if len(answers)%3 != 0 {
			t.Errorf("answer cut short: %q", answers)
		}
		if !bytes.ContainsAny(in, "\xff\r") && !bytes.Equal(text, in) {
			t.Errorf("plain text was changed: %q to %q", in, text)
		}
		escaped := bytes.ReplaceAll(in, []byte{telnetIAC}, []byte{telnetIAC, telnetIAC})
		if !strings.Contains(string(in), "\r\x00") {
			if back, _ := filter(escaped); !bytes.Equal(back, in) {
				t.Errorf("doubled IACs came out as %q", back)
			}
		}
	})
}
