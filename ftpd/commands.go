package ftpd

import (
	"maps"
	"slices"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/auth"
	"github.com/ftp-operator/ftp-operator/ftpd/checksum"
)

// command describes a verb. FEAT, HELP and SITE HELP are derived from these descriptions.
type command struct {
	// run executes the command. If the command succeeds, run replies itself or begins a transfer, which replies when
	// it ends. Otherwise run returns the refusal.
	run func(s *session, arg string) error
	// syntax is the argument as HELP shows it. If it begins with "<", the argument is required.
	syntax string
	// open says whether the command is allowed before login.
	open bool
	// needs holds the rights of which the user must have at least one. Zero means that no right is needed.
	needs auth.Rights
	// transfers says whether the command uses the data connection that was agreed upon.
	transfers bool
	// during reports whether the command is executed at once while a transfer runs. All others, and those for which
	// during is nil, wait for the transfer's end.
	during func(arg string) bool
	// feat returns the command's line in FEAT (RFC 2389), or "" to omit it. It is nil if the command has no line.
	feat func(s *session) string
	// index is the position of the verb in Verbs.
	index int
}

func always(string) bool           { return true }
func withoutArg(arg string) bool   { return arg == "" }
func feature(l string) featureLine { return func(*session) string { return l } }

type featureLine = func(*session) string

// commands holds every verb that the server knows. Function init fills it, because HELP reads it.
var commands map[string]*command

func init() {
	commands = map[string]*command{
		// cmd_login.go; cmd_auth.go (HOST)
		"USER": {run: (*session).cmdUser, syntax: "<name>", open: true},
		"PASS": {run: (*session).cmdPass, syntax: "[password]", open: true},
		"ACCT": {run: (*session).cmdAcct, syntax: "<account>", open: true},
		"REIN": {run: (*session).cmdRein, open: true},
		"QUIT": {run: (*session).cmdQuit, open: true, during: always},

		"HOST": {run: (*session).cmdHost, syntax: "<name>", open: true, feat: feature("HOST")},

		// cmd_auth.go
		"AUTH": {run: (*session).cmdAuth, syntax: "<TLS>", open: true, feat: tlsFeature("AUTH TLS")},
		"PBSZ": {run: (*session).cmdPbsz, syntax: "<0>", open: true, feat: tlsFeature("PBSZ")},
		"PROT": {run: (*session).cmdProt, syntax: "<C | P>", open: true, feat: tlsFeature("PROT")},
		"CCC":  {run: (*session).cmdCcc, open: true, feat: cccFeature},

		// cmd_files.go
		"CWD":  {run: (*session).cmdCwd, syntax: "<directory>"},
		"XCWD": {run: (*session).cmdCwd, syntax: "<directory>"},
		"CDUP": {run: (*session).cmdCdup},
		"XCUP": {run: (*session).cmdCdup},
		"PWD":  {run: (*session).cmdPwd},
		"XPWD": {run: (*session).cmdPwd},
		"MKD":  {run: (*session).cmdMkd, syntax: "<directory>", needs: auth.Mkdir},
		"XMKD": {run: (*session).cmdMkd, syntax: "<directory>", needs: auth.Mkdir},
		"RMD":  {run: (*session).cmdRmd, syntax: "<directory>", needs: auth.Delete},
		"XRMD": {run: (*session).cmdRmd, syntax: "<directory>", needs: auth.Delete},

		// cmd_files.go, continued
		"DELE": {run: (*session).cmdDele, syntax: "<file>", needs: auth.Delete},
		"RNFR": {run: (*session).cmdRnfr, syntax: "<name>", needs: auth.Rename},
		"RNTO": {run: (*session).cmdRnto, syntax: "<name>", needs: auth.Rename},

		// cmd_param.go; cmd_hash.go (RANG)
		"TYPE": {run: (*session).cmdType, syntax: "<A [N | T] | I | L 8>"},
		"STRU": {run: (*session).cmdStru, syntax: "<F | R>"},
		"MODE": {run: (*session).cmdMode, syntax: "<S | Z>", feat: feature("MODE Z")},
		"ALLO": {run: (*session).cmdAllo, syntax: "<octets> [R <octets>]"},
		"REST": {run: (*session).cmdRest, syntax: "<offset>", feat: feature("REST STREAM")},
		"RANG": {run: (*session).cmdRang, syntax: "<first> <last>", feat: feature("RANG STREAM")},

		// cmd_data.go
		"PORT": {run: (*session).cmdPort, syntax: "<h1,h2,h3,h4,p1,p2>"},
		"EPRT": {run: (*session).cmdEprt, syntax: "<|family|address|port|>", feat: eprtFeature},
		"PASV": {run: (*session).cmdPasv},
		"EPSV": {run: (*session).cmdEpsv, syntax: "[1 | 2 | ALL]", feat: feature("EPSV")},

		// cmd_transfer.go
		"RETR": {run: (*session).cmdRetr, syntax: "<file>", needs: auth.Read, transfers: true},
		"STOR": {run: (*session).cmdStor, syntax: "<file>", needs: auth.Create, transfers: true},
		"STOU": {run: (*session).cmdStou, syntax: "[file]", needs: auth.Create, transfers: true},
		"APPE": {run: (*session).cmdAppe, syntax: "<file>", needs: auth.Append, transfers: true},
		"ABOR": {run: (*session).cmdAbor, during: always},

		// cmd_list.go
		"LIST": {run: (*session).cmdList, syntax: "[path]", needs: auth.List, transfers: true},
		"NLST": {run: (*session).cmdNlst, syntax: "[path]", needs: auth.List, transfers: true},
		"MLSD": {run: (*session).cmdMlsd, syntax: "[directory]", needs: auth.List, transfers: true},
		"MLST": {run: (*session).cmdMlst, syntax: "[path]", needs: auth.List, feat: mlstFeature},

		// cmd_times.go
		"SIZE": {run: (*session).cmdSize, syntax: "<file>", needs: auth.List, feat: feature("SIZE")},
		"MDTM": {run: (*session).cmdMdtm, syntax: "<[YYYYMMDDHHMMSS] file>", needs: auth.List | auth.Overwrite, feat: feature("MDTM")},
		"MFMT": {run: (*session).cmdMfmt, syntax: "<YYYYMMDDHHMMSS> <file>", needs: auth.Overwrite, feat: feature("MFMT")},

		// cmd_hash.go
		"HASH":    {run: (*session).cmdHash, syntax: "<file>", needs: auth.Read, feat: hashFeature},
		"XCRC":    legacyHashCommand("XCRC", checksum.CRC32),
		"XMD5":    legacyHashCommand("XMD5", checksum.MD5),
		"XSHA":    legacyHashCommand("XSHA", checksum.SHA1),
		"XSHA1":   legacyHashCommand("XSHA1", checksum.SHA1),
		"XSHA256": legacyHashCommand("XSHA256", checksum.SHA256),
		"XSHA512": legacyHashCommand("XSHA512", checksum.SHA512),

		// cmd_times.go
		"MFF":  {run: (*session).cmdMff, syntax: "<facts> <file>", needs: auth.Overwrite, feat: feature("MFF Modify;UNIX.mode;")},
		"MFCT": {run: (*session).cmdMfct, syntax: "<YYYYMMDDHHMMSS> <file>", needs: auth.Overwrite},

		// cmd_status.go (AVBL) and cmd_files.go (COMB)
		"AVBL": {run: (*session).cmdAvbl, syntax: "[directory]", needs: auth.List | auth.Create, feat: feature("AVBL")},
		"COMB": {run: (*session).cmdComb, syntax: `<"target" "part" ...>`, needs: auth.Append, feat: feature("COMB")},

		// cmd_status.go, cmd_features.go
		"STAT": {run: (*session).cmdStat, syntax: "[path]", during: withoutArg},
		"SYST": {run: (*session).cmdSyst, open: true},
		"HELP": {run: (*session).cmdHelp, syntax: "[command]", open: true},
		"NOOP": {run: (*session).cmdNoop, open: true, during: always},
		"FEAT": {run: (*session).cmdFeat, open: true},
		"OPTS": {run: (*session).cmdOpts, syntax: "<command> [options]", open: true, feat: feature("UTF8")},
		"LANG": {run: (*session).cmdLang, syntax: "[language]", open: true, feat: feature("LANG EN*")},
		"CLNT": {run: (*session).cmdClnt, syntax: "<client>", open: true, feat: feature("CLNT")},
		"CSID": {run: (*session).cmdCsid, syntax: "<facts>", open: true, feat: feature("CSID")},
		"SMNT": {run: (*session).cmdSmnt, syntax: "<path>"},

		// cmd_features.go
		"SITE": {run: (*session).cmdSite, syntax: "<command> [arguments]"},
	}
	verbs = slices.Sorted(maps.Keys(commands))
	for i, verb := range verbs {
		commands[verb].index = i
	}
}

// verbs holds the keys of commands, sorted.
var verbs []string

// Verbs returns the verbs of all commands that servers know, sorted.
func Verbs() []string { return slices.Clone(verbs) }

// otherFeatures lists the lines of FEAT that belong to no command.
var otherFeatures = []string{"TVFS"}

// features returns the lines of FEAT, sorted.
func features(s *session) []string {
	lines := slices.Clone(otherFeatures)
	for _, c := range commands {
		if c.feat == nil {
			continue
		}
		if l := c.feat(s); l != "" {
			lines = append(lines, l)
		}
	}
	slices.Sort(lines)
	return lines
}

// needsArg reports whether the command requires an argument.
func (c *command) needsArg() bool { return strings.HasPrefix(c.syntax, "<") }

// usage returns the command's syntax as HELP shows it.
func (c *command) usage(verb string) string {
	return strings.TrimSpace("Syntax: " + verb + " " + c.syntax)
}
