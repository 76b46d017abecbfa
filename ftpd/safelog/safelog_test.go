package safelog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

type named string

type stringer struct{ text string }

func (s stringer) String() string { return s.text }

type valuer struct{ text string }

func (v valuer) LogValue() slog.Value { return slog.GroupValue(slog.String(v.text, v.text)) }

// Any text that comes in any way makes one line of printable text, in both formats and at all levels. Text that is
// safe is not changed.
func TestEverythingIsSafe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bad := rapid.OneOf(
			rapid.String(),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
			rapid.SampledFrom([]string{"a\r\nlevel=INFO msg=forged", "\x1b[31m", "\u202eexe.txt", "\u2066", "\u200f", "\xff\xfe", "\u0085", "\u2028", "\x00", "\x7f"}),
		).Draw(t, "text")
		level := rapid.SampledFrom([]slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}).Draw(t, "level")
		for _, format := range []func(*bytes.Buffer) slog.Handler{
			func(b *bytes.Buffer) slog.Handler {
				return slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug})
			},
			func(b *bytes.Buffer) slog.Handler {
				return slog.NewJSONHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug})
			},
		} {
			var b bytes.Buffer
			log := slog.New(Handler(Handler(format(&b))))
			//nolint:sloglint // what a message must not hold is what is tried
			log.With("with", bad).WithGroup("g"+bad).Log(t.Context(), level, bad,
				bad, 1, "string", bad, "error", errors.New(bad), "wrapped", fmt.Errorf("in: %w", errors.New(bad)),
				"strings", []string{bad}, "bytes", []byte(bad), "stringer", stringer{bad}, "struct", struct{ A string }{bad},
				"map", map[string]string{bad: bad}, "named", named(bad), "pointer", &bad, "nil", nil, "valuer", valuer{bad},
				slog.Group("group", bad, bad))
			out, ok := strings.CutSuffix(b.String(), "\n")
			if !ok || !utf8.ValidString(out) || strings.ContainsFunc(out, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Fatalf("%q became %q", bad, out)
			}
		}
	})
}

func TestWhatIsSafeStays(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(Handler(slog.NewJSONHandler(&b, nil)))
	log.Info("Grüße, 世界", "path", `/a "b" c\d`, "n", 7, "took", time.Second, "peer", netip.MustParseAddrPort("[2001:db8::1]:21"), "yes", true, "stack", Stack("a\n\tb"))
	var got map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"msg": "Grüße, 世界", "path": `/a "b" c\d`, "n": 7.0, "took": 1e9, "peer": "[2001:db8::1]:21", "yes": true, "stack": "a\n\tb",
	} {
		if got[key] != want {
			t.Errorf("%s is %#v, want %#v", key, got[key], want)
		}
	}
	if long := Text(strings.Repeat("x", 1<<20)); len(long) > maxText+3 {
		t.Errorf("%d bytes are logged", len(long))
	}
}
