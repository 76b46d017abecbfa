package bounded

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "s")
		s = strings.Repeat(s, rapid.IntRange(1, 100).Draw(t, "times"))
		most := rapid.IntRange(64, 4096).Draw(t, "most")
		got := Text(s, most)
		switch {
		case len(got) > most:
			t.Fatalf("%d bytes of at most %d", len(got), most)
		case !utf8.ValidString(got):
			t.Fatalf("%q is no UTF-8", got)
		case utf8.ValidString(s) && len(s) <= most && got != s:
			t.Fatalf("%q became %q", s, got)
		case len(s) > 4*most && !strings.HasSuffix(got, "bytes in all)"):
			t.Fatalf("%q does not say that it was cut", got)
		}
	})
}
