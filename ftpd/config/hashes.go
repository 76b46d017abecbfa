package config

import (
	"strings"
)

// PasswordHashes reads the users' password hashes, by name, out of a file that Marshal made. It does not parse the
// file, which somebody may have put in its place: it costs no more than a look at each line, while a parser
// takes memory many times the size of a file that is made for that. What it does not understand it leaves out.
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

// unquote takes off the quotes of what would else be a number or the like. Names and hashes hold nothing that
// would be escaped.
func unquote(value string) string {
	for _, quote := range []string{`"`, `'`} {
		if inner, found := strings.CutPrefix(value, quote); found {
			return strings.TrimSuffix(inner, quote)
		}
	}
	return value
}
