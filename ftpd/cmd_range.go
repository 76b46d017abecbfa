package ftpd

import (
	"strconv"

	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// cmdRang notes which part of a file the next RETR sends, or the next HASH or XCRC and its kin
// computes.
func (s *session) cmdRang(arg string) {
	r, err := wire.ParseRange(arg)
	if err != nil {
		s.reply(501, "Not understood: "+err.Error()+".")
		return
	}
	s.restart, s.part = 0, r
	if r == nil {
		s.reply(350, "No range. Send RETR or HASH.")
		return
	}
	s.reply(350, "Restarting at "+strconv.FormatInt(r.Start, 10)+". Ending at "+strconv.FormatInt(r.End-1, 10)+". Send RETR or HASH.")
}
