package wire

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLogged bounds what a client can put into a line of the log by one value.
const maxLogged = maxPath

// LoggableVerb is what may be logged of a verb that is not known: nothing, unless it looks like one
// of FTP's. It may be a password that was sent too early.
func LoggableVerb(verb string) string {
	if len(verb) > 4 || strings.ContainsFunc(verb, func(r rune) bool { return r < 'A' || r > 'Z' }) {
		return "***"
	}
	return verb
}

// LoggableText makes a client's text safe for logs of any format and for terminals: whatever is
// not printable is written as in a Go string.
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
