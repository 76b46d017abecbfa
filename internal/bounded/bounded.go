// Package bounded limits the size of texts from other programs: what an API server, a webhook or a pod says appears
// in log lines, events and conditions, and may be of any length. It imports nothing of this module.
package bounded

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits for texts, in bytes.
const (
	// Condition is the limit for the message of a condition. The API allows 32768, but people read less.
	Condition = 2048
	// Event is the limit for the note of an event. The API allows 1024.
	Event = 1000
	// Log is the limit for one value of a log line.
	Log = 4096
)

// Text returns s as valid UTF-8. If s is longer than most bytes, Text returns its beginning and, at the end, its full
// length. The result is never longer than most bytes; most must be at least 64.
func Text(s string, most int) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if len(s) <= most {
		return s
	}
	end := fmt.Sprintf("… (%d bytes in all)", len(s))
	cut := most - len(end)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + end
}
