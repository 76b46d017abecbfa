package ftpd

import (
	"slices"
	"testing"
)

// Only arguments that are known to be harmless must be shown.
func TestShownArgument(t *testing.T) {
	for _, c := range []struct{ verb, arg, want string }{
		{"PASS", "secret", "***"},
		{"ACCT", "secret", "***"},
		{"USER", "secret", "***"},
		{"SITE", "PSWD old new", "***"},
		{"SITE", "pswd old new", "***"},
		{"SITE", "chmod 644 a", "chmod 644 a"},
		{"OPTS", "PASS secret", "***"},
		{"OPTS", "mlst size;", "mlst size;"},
		{"PSWD", "secret", "***"},
		{"", "secret", "***"},
		{"RETR", "a\u202eb\r", `a\u202eb\r`},
		{"CLNT", "x\x1b[31m\xff", `x\x1b[31m\xff`},
		{"PASS", "", ""},
	} {
		if got := shownArgument(c.verb, c.arg); got != c.want {
			t.Errorf("%s %q shows %q, want %q", c.verb, c.arg, got, c.want)
		}
	}
	for _, verb := range verbs {
		hidden := slices.Contains([]string{"PASS", "ACCT", "USER", "SITE", "OPTS"}, verb)
		if slices.Contains(openArguments, verb) == hidden {
			t.Errorf("%s: decide whether its argument may be shown", verb)
		}
	}
	for _, verb := range openArguments {
		if commands[verb] == nil {
			t.Errorf("%s is not known", verb)
		}
	}
}
