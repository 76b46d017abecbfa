package ftpd

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/auth"
	"github.com/ftp-operator/ftp-operator/ftpd/listing"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

func (s *session) cmdSmnt(string) { s.reply(502, "There are no file systems to mount here.") }

// cmdCsid tells what a client may want to know of the server
// (draft-peterson-streamlined-ftp-command-extensions), but for versions, which help attackers more.
func (s *session) cmdCsid(arg string) {
	s.log.Debug("client", "program", wire.LoggableText(arg))
	s.reply(200, "Name=ftp-operator; CaseSensitive=1; DirSep=/;")
}

// languageTag is a tag of RFC 1766, or one of those that came after it.
var languageTag = regexp.MustCompile(`^[A-Za-z]{1,8}(-[0-9A-Za-z]{1,8})*$`)

// cmdLang takes any kind of English, which all replies are in (RFC 2640 section 4).
func (s *session) cmdLang(arg string) {
	primary, _, _ := strings.Cut(arg, "-")
	switch {
	case arg == "" || languageTag.MatchString(arg) && strings.EqualFold(primary, "en"):
		s.reply(200, "Replies are in English.")
	case languageTag.MatchString(arg):
		s.reply(504, "Replies are in English only.")
	default:
		s.reply(501, "Not understood: write LANG and a language tag, as in LANG EN.")
	}
}

// cmdClnt takes the name of the client's program, for the log.
func (s *session) cmdClnt(arg string) {
	s.log.Debug("client", "program", arg)
	s.reply(200, "Noted.")
}

// cmdFeat lists what goes beyond RFC 959 (RFC 2389).
func (s *session) cmdFeat(string) { s.out.ReplyLines(211, "Features:", features(s), "End") }

// cmdOpts takes the options of other commands (RFC 2389 section 4).
func (s *session) cmdOpts(arg string) {
	name, options := wire.ParseCommand(arg)
	options = strings.TrimSpace(options)
	switch name {
	case "MLST":
		s.facts = listing.ParseFacts(options)
		s.reply(200, strings.TrimSpace("MLST OPTS "+s.facts.String()))
	case "HASH":
		s.optsHash(options)
	case "MODE":
		s.optsMode(options)
	case "UTF8", "UTF-8":
		s.optsUTF8(options)
	default:
		s.reply(501, "There are no options for that; OPTS takes HASH, MLST, MODE and UTF8.")
	}
}

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
