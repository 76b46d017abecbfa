package wire

import "testing"

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": "plain", "Grüße": "Grüße", "a\r\n226 ok": "a%0D%0A226 ok", "\x1b[2J": "%1B[2J", "\xff": "%FF", "\u0085": "%C2%85",
	} {
		if got := OneLine(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
	if got := QuotePath(`/a"b`); got != `"/a""b"` {
		t.Errorf("quotePath: %s", got)
	}
}
