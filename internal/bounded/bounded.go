// Package bounded keeps texts from elsewhere to a size: what an API server, a webhook or a pod says ends up
// in log lines, events and conditions, and may be of any length.
package bounded

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits in bytes.
const (
	// Condition is that of a condition's message; the API allows 32768, a person reads less.
	Condition = 2048
	// Event is that of an event's note; the API allows 1024.
	Event = 1000
	// Log is that of one value of a log line.
	Log = 4096
)

// Text returns s in valid UTF-8, and if it is longer than most bytes its beginning, with its length
// told at the end. The result is not longer than that either; most must be 64 or more.
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
