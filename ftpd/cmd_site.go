package ftpd

import (
	"maps"
	"slices"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/auth"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// siteCommands are the SITE commands, as commands are the others.
var siteCommands map[string]*command

func init() {
	siteCommands = map[string]*command{
		"CHMOD": {run: (*session).siteChmod, syntax: "<mode> <file>", needs: auth.Overwrite},
		"HELP":  {run: (*session).siteHelp},
		"QUOTA": {run: (*session).siteQuota},
		"UTIME": {run: (*session).siteUtime, syntax: "<YYYYMMDDHHMM[SS]> <file>", needs: auth.Overwrite},
	}
}

func (s *session) cmdSite(arg string) {
	name, rest := wire.ParseCommand(arg)
	c := siteCommands[name]
	switch {
	case c == nil:
		s.reply(504, "Unknown SITE command; SITE HELP lists those that are known.")
	case c.needs != 0 && s.rights()&c.needs == 0:
		s.auditDenied("SITE "+name, rest)
		s.denied()
	case c.needsArg() && rest == "":
		s.reply(501, c.usage("SITE "+name))
	default:
		c.run(s, rest)
	}
}

func (s *session) siteHelp(string) {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(siteCommands)) {
		lines = append(lines, strings.TrimSpace("SITE "+name+" "+siteCommands[name].syntax))
	}
	s.out.ReplyLines(214, "SITE commands:", lines, "End of help.")
}
