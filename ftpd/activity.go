package ftpd

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// activity is the part of a session's state that other goroutines may read while the session works. The zero value is
// a session that has just connected.
type activity struct {
	mu        sync.Mutex
	connected time.Time
	user      string
	anonymous bool
	loggedIn  time.Time
	version   uint16 // of TLS; 0 in clear text

	verb, arg string // the command that runs or ran last; arg is cleared when it ends
	busy      bool
	since     time.Time
	transfer  *transfer.Transfer
}

// begin records that a command is about to be executed. The verb is one of Verbs, or empty for an unknown command.
func (a *activity) begin(verb, arg string) {
	arg = shownArgument(verb, arg)
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.verb, a.arg, a.busy, a.since = verb, arg, true, now
}

// end records that the command was executed.
func (a *activity) end(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.busy, a.since = false, now
	if a.transfer == nil {
		a.arg = "" // a long argument would stay in memory while the session is idle
	}
}

// login records the user that is logged in; an empty user records a logout.
func (a *activity) login(user string, anonymous bool, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.user, a.anonymous, a.loggedIn = user, anonymous, now
}

// setTLS records the TLS version of the control connection; 0 means clear text.
func (a *activity) setTLS(version uint16) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.version = version
}

// setTransfer records the running transfer; nil means that none runs.
func (a *activity) setTransfer(t *transfer.Transfer) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.transfer = t
	if t == nil {
		a.since, a.arg = now, ""
	}
}

// hiddenArgument is shown in place of an argument that must not be shown.
const hiddenArgument = "***"

// openArguments lists the verbs whose arguments may be shown in the log and in lists of sessions: the arguments are
// paths, numbers, or words with a meaning in FTP only. All other arguments are hidden, because they may hold a
// secret, if only by mistake: those of PASS and ACCT; of USER, since people type passwords at its prompt (the audit
// log names the users); of SITE and OPTS if the subcommand is unknown, such as SITE PSWD; and of unknown verbs.
var openArguments = strings.Fields(`
	ABOR ALLO APPE AUTH AVBL CCC CDUP CLNT COMB CSID CWD DELE EPRT EPSV FEAT HASH HELP HOST LANG LIST MDTM
	MFCT MFF MFMT MKD MLSD MLST MODE NLST NOOP PASV PBSZ PORT PROT PWD QUIT RANG REIN REST RETR RMD RNFR
	RNTO SIZE SMNT STAT STOR STOU STRU SYST TYPE XCRC XCUP XCWD XMD5 XMKD XPWD XRMD XSHA XSHA1 XSHA256 XSHA512`)

// openOptions lists the options of OPTS whose values may be shown.
var openOptions = []string{"HASH", "MLST", "MODE", "UTF8", "UTF-8"}

// shownArgument returns a command's argument as it may be shown: made safe for logs, or hiddenArgument.
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
