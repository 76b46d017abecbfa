package wire

import (
	"path"
	"strings"
	"testing"
)

func TestResolve(t *testing.T) {
	t.Parallel()
	tests := []struct{ cwd, arg, want string }{
		{"/", "", "/"},
		{"/a", "", "/a"},
		{"/a", "b", "/a/b"},
		{"/a", "/b", "/b"},
		{"/a", "..", "/"},
		{"/a", "../../../../etc/passwd", "/etc/passwd"}, // below the home, like everything
		{"/a", "b/", "/a/b"},
		{"/a", "./b//c/.", "/a/b/c"},
		{"/", "//b", "/b"},
		{"/", " b ", "/ b "},
		{"/", "-x", "/-x"},
		{"/", "Grüße/日本", "/Grüße/日本"},
		{"/", "~", "/~"},
		{"/", "a\\b", "/a\\b"},
		{"/", "a\x00b", ""},
		{"/", "a\nb", ""},
		{"/", "a\rb", ""},
		{"/", "a\x1bb", ""},
		{"/", "a\x7fb", ""},
		{"/", "a\u0085b", ""}, // a control character of C1
		{"/", "a\xffb", "/a\xffb"},
		{"/", strings.Repeat("x", 5000), ""},
		{"/" + strings.Repeat("x/", 1500), strings.Repeat("x/", 1500), ""},
	}
	for _, tt := range tests {
		got, err := Resolve(tt.cwd, tt.arg)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("resolve(%.20q, %.20q) = %.40q, %v; want %.40q", tt.cwd, tt.arg, got, err, tt.want)
		}
	}
}

func FuzzResolve(f *testing.F) {
	for _, seed := range []string{"", "..", "../..", "/a/../..", "a//b", "a\x00", "\xff", "...", ". .", "a/..\\..", strings.Repeat("../", 2000)} {
		f.Add("/x/y", seed)
	}
	f.Fuzz(func(t *testing.T, cwd, arg string) {
		base, err := Resolve("/", cwd)
		if err != nil {
			return
		}
		got, err := Resolve(base, arg)
		if err != nil {
			return
		}
		if !path.IsAbs(got) || path.Clean(got) != got || !usableName(got) || len(got) >= maxPath {
			t.Errorf("resolve(%q, %q) = %q", base, arg, got)
		}
		for element := range strings.SplitSeq(got, "/") {
			if element == ".." {
				t.Errorf("resolve(%q, %q) = %q leads out", base, arg, got)
			}
		}
	})
}
