package reserved

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestName(t *testing.T) {
	for name, want := range map[string]bool{
		".ftpd-":                          true,
		".ftpd-upload-X":                  true,
		".FTPD-append-1":                  true,
		".fTpD-x":                         true,
		"\uff0e\uff26\uff54pd-x":          true, // full width
		".f\u00adtpd-x":                   true, // a soft hyphen within
		"\u200b.ftpd-x":                   true, // a zero width space before
		".ftpd\ufe63x":                    true, // a small hyphen-minus
		"\u2024ftpd-x":                    true, // a one dot leader
		".\ufeff\ufe0fftpd-":              true,
		"":                                false,
		".ftpd":                           false,
		".ftpd_x":                         false,
		"ftpd-x":                          false,
		"..ftpd-x":                        false,
		".ftpé-":                          false,
		".f\u0301tpd-x":                   false, // with an accent it is another letter
		"\xff.ftpd-x":                     false,
		".ft\xffpd-x":                     false,
		"\u2025ftpd-x":                    false, // two dots
		"Übertragung":                     false,
		"\u200b":                          false,
		strings.Repeat("\u200b", 9) + "x": false,
	} {
		if got := Name(name); got != want {
			t.Errorf("%+q: %v", name, got)
		}
		if got := Path("a/" + name + "/b"); got != want {
			t.Errorf("within a path %+q: %v", name, got)
		}
	}
}

// Names that full case folding and compatibility normalization make equal must all be reserved.
func TestEveryFold(t *testing.T) {
	same := map[string][]rune{}
	for r := rune(1); r <= 0x1ffff; r++ {
		if r >= utf8.RuneSelf && unicode.SimpleFold(r) == r && norm.NFKD.PropertiesString(string(r)).Decomposition() == nil {
			continue
		}
		folded := norm.NFKD.String(cases.Fold().String(norm.NFKD.String(string(r))))
		same[folded] = append(same[folded], r)
	}
	for _, want := range Prefix {
		if len(same[string(want)]) < 2 {
			t.Errorf("%q: only %q", want, same[string(want)])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for _, want := range Prefix {
			b.WriteRune(rapid.SampledFrom(same[string(want)]).Draw(t, "character"))
		}
		if name := b.String() + rapid.String().Draw(t, "rest"); !Name(name) {
			t.Fatalf("%+q is not reserved", name)
		}
	})
}
