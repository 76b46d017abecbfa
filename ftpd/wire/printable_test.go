package wire

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
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
		if got := LoggableText(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	for verb, want := range map[string]string{"XYZ": "XYZ", "LONGER": "***", "A1": "***", "": "", "Ä": "***"} {
		if got := LoggableVerb(verb); got != want {
			t.Errorf("%q: got %q, want %q", verb, got, want)
		}
	}
}

// A log line with any text of a client stays one line without control characters, also as JSON.
func FuzzLoggableText(f *testing.F) {
	for _, seed := range []string{"name", "a\nb", "\x1b[0m", "\u009b", "\u2028", "\xf0\x28\x8c\xbc", "\"quoted\" \\ and more"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		safe := LoggableText(text)
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
