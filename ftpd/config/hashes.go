package config

import (
	"strings"
)

// PasswordHashes reads the password hashes of the users, by name, from a file that Marshal has written. It does not
// parse the file, because another program may have replaced it: a parser may need memory of many times the size of a
// malicious file, while this function only looks at each line. It skips lines that it does not understand.
func PasswordHashes(file []byte) map[string]string {
	hashes := map[string]string{}
	var name, hash string
	keep := func() {
		if name != "" && hash != "" {
			hashes[name] = hash
		}
		name, hash = "", ""
	}
	within := false
	for line := range strings.SplitSeq(string(file), "\n") {
		if !within {
			within = line == "users:"
			continue
		}
		field, first := strings.CutPrefix(line, "- ")
		if first {
			keep()
		} else if field, within = strings.CutPrefix(line, "  "); !within {
			break
		}
		key, value, _ := strings.Cut(field, ": ")
		switch key {
		case "name":
			name = unquote(value)
		case "passwordHash":
			hash = unquote(value)
		}
	}
	keep()
	return hashes
}

// unquote removes the quotes around a text that would be a number or the like without them. Names and hashes contain
// nothing that must be escaped.
func unquote(value string) string {
	for _, quote := range []string{`"`, `'`} {
		if inner, found := strings.CutPrefix(value, quote); found {
			return strings.TrimSuffix(inner, quote)
		}
	}
	return value
}
