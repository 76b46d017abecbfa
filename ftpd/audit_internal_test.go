package ftpd

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestLoggableText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                        "",
		"a b/ä.txt":               "a b/ä.txt",
		`C:\x`:                    `C:\x`,
		"a\r\nb":                  `a\r\nb`,
		"\x1b[2J":                 `\x1b[2J`,
		"\u009b31m":               `\u009b31m`,
		"\u202egnp":               `\u202egnp`,
		"\xff":                    `\xff`,
		"a\u00a0b":                `a\u00a0b`,
		strings.Repeat("x", 5000): strings.Repeat("x", maxLogged) + "...",
	} {
		if got := loggableText(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	for verb, want := range map[string]string{"XYZ": "XYZ", "LONGER": "***", "A1": "***", "": "", "Ä": "***"} {
		if got := loggableVerb(verb); got != want {
			t.Errorf("%q: got %q, want %q", verb, got, want)
		}
	}
}

// Whatever a client sends, a line of the log stays one line without control characters, also as
// JSON.
func FuzzLoggableText(f *testing.F) {
	for _, seed := range []string{"name", "a\nb", "\x1b[0m", "\u009b", "\u2028", "\xf0\x28\x8c\xbc", "\"quoted\" \\ and more"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		safe := loggableText(text)
		if strings.ContainsFunc(safe, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%q became %q", text, safe)
		}
		var line bytes.Buffer
		slog.New(slog.NewJSONHandler(&line, nil)).Info("audit", "path", safe)
		var entry struct{ Path string }
		if err := json.Unmarshal(line.Bytes(), &entry); err != nil || entry.Path != safe || strings.Count(line.String(), "\n") != 1 {
			t.Fatalf("%q became %q by %q (%v)", text, entry.Path, line.String(), err)
		}
	})
}

func TestRateOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n    int64
		took time.Duration
		want int64
	}{{0, 0, 0}, {10, 0, 0}, {10, -1, 0}, {3 << 30, 3 * time.Second, 1 << 30}, {1, time.Minute, 0}} {
		if got := rateOf(c.n, c.took); got != c.want {
			t.Errorf("%d in %v: %d, want %d", c.n, c.took, got, c.want)
		}
	}
}
