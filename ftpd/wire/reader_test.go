package wire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// readLines reads all lines of a stream. It returns "(too long)" for a line that was too long.
func readLines(src io.Reader) (lines []string, answers string, err error) {
	var sent bytes.Buffer
	r := NewReader(src, func(p []byte) { sent.Write(p) })
	for {
		l := r.read()
		switch {
		case errors.Is(l.Err, errLineTooLong):
			lines = append(lines, "(too long)")
		case l.Err != nil:
			return lines, sent.String(), l.Err
		default:
			lines = append(lines, l.Text)
		}
	}
}

func TestControlReader(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxLine)
	tests := map[string]struct {
		in   string
		want []string
	}{
		"one":                       {"NOOP\r\n", []string{"NOOP"}},
		"several in a segment":      {"USER a\r\nPASS b\r\nPWD\r\n", []string{"USER a", "PASS b", "PWD"}},
		"bare LF":                   {"NOOP\nPWD\r\n", []string{"NOOP", "PWD"}},
		"blanks belong to the name": {"RETR  a b \r\n", []string{"RETR  a b "}},
		"a CR inside stays":         {"RETR a\rb\r\n", []string{"RETR a\rb"}},
		"two CR and a LF":           {"RETR a\r\r\nNOOP\r\r\r\n", []string{"RETR a", "NOOP"}},
		"CR NUL LF":                 {"NOOP\r\x00\nPWD\r\x00\r\n", []string{"NOOP", "PWD"}},
		"LF CR":                     {"NOOP\n\rPWD\n\r", []string{"NOOP", "PWD"}},
		"the NUL of a string":       {"NOOP\r\n\x00PWD\x00\r\n\x00", []string{"NOOP", "PWD"}},
		"empty lines":               {"\r\n\n\r\r\n\x00\r\n  \r\nNOOP\r\n\r\n", []string{"NOOP"}},
		"blanks before the verb":    {" \t NOOP\r\n", []string{"NOOP"}},
		"IP and Synch":              {"\xff\xf4\xff\xf2ABOR\r\n", []string{"ABOR"}},
		"no IAC of IP":              {"\xf4\xff\xf2ABOR\r\n", []string{"ABOR"}},
		"no IAC of the Synch":       {"\xff\xf4\xf2ABOR\r\n", []string{"ABOR"}},
		"no IAC":                    {"\xf4\xf2ABOR\r\n", []string{"ABOR"}},
		"no IP, no DM":              {"\xff\xffABOR\r\n", []string{"ABOR"}},
		"no DM":                     {"\xff\xf4\xffABOR\r\n", []string{"ABOR"}},
		"IP alone":                  {"\xf4ABOR\r\n", []string{"ABOR"}},
		"DM alone":                  {"\xf2ABOR\r\n", []string{"ABOR"}},
		"Synch after QUIT":          {"QUIT\r\n\xff\xf4\xff\xf2\r\n", []string{"QUIT"}},
		"Telnet bytes in a name":    {"RETR \xf4\r\n", []string{"RETR \xf4"}},
		"cut short is no command":   {"NOOP\r\nDELE file", []string{"NOOP"}},
		"as long as can be":         {long + "\r\nNOOP\r\n", []string{long, "NOOP"}},
		"too long":                  {long + "yy\r\nNOOP\r\n", []string{"(too long)", "NOOP"}},
		"far too long":              {strings.Repeat(long, 40) + "\r\nNOOP\r\n", []string{"(too long)", "NOOP"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, src := range []io.Reader{strings.NewReader(tt.in), iotest.OneByteReader(strings.NewReader(tt.in))} {
				got, _, err := readLines(src)
				if !errors.Is(err, io.EOF) {
					t.Errorf("ended by %v", err)
				}
				if strings.Join(got, "|") != strings.Join(tt.want, "|") {
					t.Errorf("got %.100q, want %.100q", got, tt.want)
				}
			}
		})
	}
}

func TestParseCommand(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, verb, arg string }{
		{"noop", "NOOP", ""},
		{"Retr a", "RETR", "a"},
		{"RETR  a ", "RETR", " a "},
		{"", "", ""},
		{" NOOP", "", "NOOP"},
		{"XYZQUIT", "XYZQUIT", ""},
	}
	for _, tt := range tests {
		if verb, arg := ParseCommand(tt.in); verb != tt.verb || arg != tt.arg {
			t.Errorf("parseCommand(%q) = %q, %q; want %q, %q", tt.in, verb, arg, tt.verb, tt.arg)
		}
	}
}

func FuzzControlReader(f *testing.F) {
	for _, seed := range []string{"USER a\r\nPASS b\r\n", "\xff\xf4\xff\xf2ABOR\r\n", "a\nb\r\nc", strings.Repeat("x", 5000) + "\r\nNOOP\r\n", "\x00\r\n", "a\r\x00\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		whole, answers, _ := readLines(bytes.NewReader(in))
		bytewise, answers2, _ := readLines(iotest.OneByteReader(bytes.NewReader(in)))
		if strings.Join(whole, "\n") != strings.Join(bytewise, "\n") || answers != answers2 {
			t.Errorf("segments matter: %q and %q", whole, bytewise)
		}
		for _, l := range whole {
			if l == "" || strings.ContainsRune("\r\x00 \t", rune(l[0])) || l[0] >= telnetSE {
				t.Errorf("not tidied: %q", l)
			}
			if strings.Contains(l, "\n") || len(l) > maxLine+1 {
				t.Errorf("not a line: %q", l)
			}
			verb, arg := ParseCommand(l)
			if strings.Contains(verb, " ") || len(arg) > len(l) {
				t.Errorf("not a command: %q, %q", verb, arg)
			}
		}
	})
}
