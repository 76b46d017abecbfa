package ftpd

import (
	"slices"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// hiddenArgument stands for an argument that is not shown.
const hiddenArgument = "***"

// openArguments are the verbs whose argument may be shown, in the log and to those who look at
// sessions: paths, numbers, and words that mean something to FTP alone. All others are hidden, since they may hold a
// secret, if only by a mistake: PASS and ACCT; USER, at whose prompt people type passwords (the audit log names the
// users); SITE and OPTS with what is not known here, such as SITE PSWD; verbs that are not known.
var openArguments = strings.Fields(`
	ABOR ALLO APPE AUTH AVBL CCC CDUP CLNT COMB CSID CWD DELE EPRT EPSV FEAT HASH HELP HOST LANG LIST MDTM
	MFCT MFF MFMT MKD MLSD MLST MODE NLST NOOP PASV PBSZ PORT PROT PWD QUIT RANG REIN REST RETR RMD RNFR
	RNTO SIZE SMNT STAT STOR STOU STRU SYST TYPE XCRC XCUP XCWD XMD5 XMKD XPWD XRMD XSHA XSHA1 XSHA256 XSHA512`)

// openOptions are the options of OPTS whose values may be shown.
var openOptions = []string{"HASH", "MLST", "MODE", "UTF8", "UTF-8"}

// shownArgument is what may be shown of a command's argument.
func shownArgument(verb, arg string) string {
	if arg == "" || slices.Contains(openArguments, verb) {
		return wire.LoggableText(arg)
	}
	word, _ := wire.ParseCommand(arg)
	switch {
	case verb == "SITE" && siteCommands[word] != nil, verb == "OPTS" && slices.Contains(openOptions, word):
		return wire.LoggableText(arg)
	}
	return hiddenArgument
}
