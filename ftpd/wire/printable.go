package wire

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLogged bounds how many bytes of a log line a client can fill with one value.
const maxLogged = maxPath

// LoggableVerb returns verb if it looks like a verb of FTP (up to four upper-case letters), and "***" otherwise: an
// unknown verb may be a password that the client sent too early.
func LoggableVerb(verb string) string {
	if len(verb) > 4 || strings.ContainsFunc(verb, func(r rune) bool { return r < 'A' || r > 'Z' }) {
		return "***"
	}
	return verb
}

// LoggableText makes a client's text safe for logs of any format and for terminals. If the text has characters that
// are not printable, it is escaped as in a Go string; text longer than maxLogged bytes is cut.
func LoggableText(text string) string {
	if len(text) > maxLogged {
		text = text[:maxLogged] + "..."
	}
	plain := utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
	if plain {
		return text
	}
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}
