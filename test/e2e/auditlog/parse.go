// Package auditlog reads the audit logs that the pods of a FtpServer write.
package auditlog

import (
	"strconv"
	"strings"

	"github.com/ftp-operator/ftp-operator/test/e2e/load"
)

// transfer parses a line of the log in slog's text format. It returns the session's number and its transfer; ok is
// false unless the line is about a transfer that succeeded.
func transfer(line string) (session uint64, t load.Line, ok bool) {
	values := Fields(line)
	event := values["event"]
	if values["msg"] != "audit" || values["result"] != "ok" || event != "upload" && event != "download" {
		return 0, load.Line{}, false
	}
	session, err1 := strconv.ParseUint(values["session"], 10, 64)
	port, err2 := strconv.ParseUint(values["port"], 10, 16)
	return session, load.Line{Upload: event == "upload", Path: values["path"], Port: uint16(port)}, err1 == nil && err2 == nil
}

// Fields returns the key=value pairs of a line in slog's text format.
func Fields(line string) map[string]string {
	values := map[string]string{}
	for {
		key, rest, found := strings.Cut(strings.TrimLeft(line, " "), "=")
		if !found {
			return values
		}
		if quoted, err := strconv.QuotedPrefix(rest); err == nil {
			values[key], _ = strconv.Unquote(quoted) // can't fail for a quoted prefix
			line = rest[len(quoted):]
			continue
		}
		values[key], line, _ = strings.Cut(rest, " ")
	}
}
