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

func (s *session) cmdSmnt(string) error {
	return refuse(502, "There are no file systems to mount here.")
}

// cmdCsid tells the client about the server (draft-peterson-streamlined-ftp-command-extensions). It leaves out
// versions, because they help attackers more than clients.
func (s *session) cmdCsid(arg string) error {
	s.log.Debug("client", "program", wire.LoggableText(arg))
	return s.answer(200, "Name=ftp-operator; CaseSensitive=1; DirSep=/;")
}

// languageTag matches the language tags of RFC 1766 and its successors.
var languageTag = regexp.MustCompile(`^[A-Za-z]{1,8}(-[0-9A-Za-z]{1,8})*$`)

// cmdLang accepts any variety of English, the language of all replies (RFC 2640 section 4).
func (s *session) cmdLang(arg string) error {
	primary, _, _ := strings.Cut(arg, "-")
	switch {
	case arg == "" || languageTag.MatchString(arg) && strings.EqualFold(primary, "en"):
		return s.answer(200, "Replies are in English.")
	case languageTag.MatchString(arg):
		return refuse(504, "Replies are in English only.")
	default:
		return refuse(501, "Not understood: write LANG and a language tag, as in LANG EN.")
	}
}

// cmdClnt logs the name of the client's program.
func (s *session) cmdClnt(arg string) error {
	s.log.Debug("client", "program", arg)
	return s.answer(200, "Noted.")
}

// cmdFeat lists the features beyond RFC 959 (RFC 2389).
func (s *session) cmdFeat(string) error {
	s.out.ReplyLines(211, "Features:", features(s), "End")
	return nil
}

// cmdOpts sets options of other commands (RFC 2389 section 4).
func (s *session) cmdOpts(arg string) error {
	name, options := wire.ParseCommand(arg)
	options = strings.TrimSpace(options)
	switch name {
	case "MLST":
		s.facts = listing.ParseFacts(options)
		return s.answer(200, strings.TrimSpace("MLST OPTS "+s.facts.String()))
	case "HASH":
		return s.optsHash(options)
	case "MODE":
		return s.optsMode(options)
	case "UTF8", "UTF-8":
		return s.optsUTF8(options)
	default:
		return refuse(501, "There are no options for that; OPTS takes HASH, MLST, MODE and UTF8.")
	}
}

// siteCommands is the table of SITE commands, as commands is the table of all other commands.
var siteCommands map[string]*command

func init() {
	siteCommands = map[string]*command{
		"CHMOD": {run: (*session).siteChmod, syntax: "<mode> <file>", needs: auth.Overwrite},
		"HELP":  {run: (*session).siteHelp},
		"QUOTA": {run: (*session).siteQuota},
		"UTIME": {run: (*session).siteUtime, syntax: "<YYYYMMDDHHMM[SS]> <file>", needs: auth.Overwrite},
	}
}

func (s *session) cmdSite(arg string) error {
	name, rest := wire.ParseCommand(arg)
	c := siteCommands[name]
	if c == nil {
		return refuse(504, "Unknown SITE command; SITE HELP lists those that are known.")
	}
	return s.dispatch(c, "SITE "+name, rest)
}

func (s *session) siteHelp(string) error {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(siteCommands)) {
		lines = append(lines, strings.TrimSpace("SITE "+name+" "+siteCommands[name].syntax))
	}
	s.out.ReplyLines(214, "SITE commands:", lines, "End of help.")
	return nil
}
