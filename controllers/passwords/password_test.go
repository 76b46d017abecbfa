package passwords

import (
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

func TestPassword(t *testing.T) {
	hash, err := passhash.Hash("x")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		value, want string
		missing     bool
		problem     string
	}{
		{"secret", "secret", false, ""},
		{"secret\r\n", "secret", false, ""},
		{" blanks stay ", " blanks stay ", false, ""},
		{hash + "\n", hash, false, ""},
		{"$5 bill", "$5 bill", false, ""},
		{"", "", true, "is empty"},
		{"\n\n", "", true, "is empty"},
		{"a\nb", "", false, "several lines"},
		{"a\x00b", "", false, "NUL"},
		{"$argon2id$v=19$nonsense", "", false, "begins like a hash"},
		{"$6$salt$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO", "", false, "a kind that is not supported"},
		{"{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n", "", false, "a kind that is not supported"},
		{"caf\xe9", "", false, "not valid UTF-8"},
	}
	for _, tt := range tests {
		got, hashed, problem := FromSecret(map[string][]byte{"password": []byte(tt.value)}, "password")
		switch {
		case problem == nil:
			if tt.problem != "" || tt.missing || got != tt.want || hashed != (tt.want == hash) {
				t.Errorf("%q gives %q", tt.value, got)
			}
		case !strings.Contains(problem.Message, tt.problem) || problem.Missing != tt.missing || tt.problem == "":
			t.Errorf("%q gives problem %+v", tt.value, problem)
		case tt.value != "" && strings.Contains(problem.Message, tt.value):
			t.Errorf("the problem of %q shows it: %s", tt.value, problem.Message)
		}
	}
	if _, _, problem := FromSecret(nil, "password"); problem == nil || !problem.Missing {
		t.Errorf("no key: %+v", problem)
	}
}
