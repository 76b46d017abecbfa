package passwords

import (
	"errors"
	"strings"

	"github.com/ftp-operator/ftp-operator/controllers/status"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

// FromSecret returns a password, or a hash of one, from a Secret's data. Line ends at its end, which many editors and
// `--from-file` add, are removed.
func FromSecret(data map[string][]byte, key string) (value string, hashed bool, problem *status.UserProblem) {
	raw, there := data[key]
	if !there {
		return "", false, &status.UserProblem{Missing: true, Message: "does not exist; put the password there"}
	}
	value = strings.TrimRight(string(raw), "\r\n")
	hashed, err := passhash.Configured(value)
	if err != nil {
		return "", false, &status.UserProblem{Missing: errors.Is(err, passhash.ErrEmpty), Message: err.Error()}
	}
	return value, hashed, nil
}
