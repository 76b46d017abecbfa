package config

import "strings"

// MatchHost reports whether a host name matches a pattern: the same name or, for "*.example.com", a name one label
// below example.com. Case and a final dot do not matter.
func MatchHost(pattern, host string) bool {
	pattern, host = bareHost(pattern), bareHost(host)
	if below, wild := strings.CutPrefix(pattern, "*."); wild {
		_, rest, found := strings.Cut(host, ".")
		return found && rest == below
	}
	return pattern == host
}

func bareHost(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// IsHostName reports whether the text is a host name of RFC 1123 section 2.1.
func IsHostName(text string) bool { return isHostName(text) }
