package wire

import (
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Any name, whatever its bytes, is shown as one line of text that every client can read. If a client sends that text
// back, Read or Variants return the name.
func TestNamesAreReadAsTheyAreShown(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("aä%é4\n\x1b\u0085日\u202e")), 0, 12, -1).Draw(t, "text")
		raw := rapid.SliceOfN(rapid.Byte(), 0, 6).Draw(t, "raw")
		name := text + string(raw)
		n := Names{rapid.SampledFrom(config.Charsets).Draw(t, "charset").Charmap()}
		shown := n.Show(name)
		if n.Charset == nil && !utf8.ValidString(shown) {
			t.Errorf("%q is shown as %q, which is not UTF-8", name, shown)
		}
		for i := range len(shown) {
			if shown[i] < ' ' || shown[i] == 0x7f {
				t.Fatalf("%q is shown as %q", name, shown)
			}
		}
		if n.Charset != nil {
			return // a name with bytes of two charsets may be read in several ways
		}
		read := n.Read(shown)
		found := read == name || unescape(read) == unescape(name)
		for _, variant := range n.Variants(read) {
			found = found || variant == name
		}
		if !found && !hasNUL(name) {
			t.Errorf("%q is shown as %q, which is read as %q", name, shown, read)
		}
	})
}

func hasNUL(name string) bool {
	for i := range len(name) {
		if name[i] == 0 {
			return true
		}
	}
	return false
}
