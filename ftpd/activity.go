package ftpd

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// activity is what others may see of a session while it works. The zero value is a session that
// has just connected.
type activity struct {
	mu        sync.Mutex
	connected time.Time
	user      string
	anonymous bool
	loggedIn  time.Time
	version   uint16 // of TLS; 0 in clear text

	verb, arg string // what is executed, or was last; without an argument then
	busy      bool
	since     time.Time
	transfer  *transfer.Transfer
}

// begin notes a command, before it is executed. The verb is one of Verbs, or empty.
func (a *activity) begin(verb, arg string) {
	arg = shownArgument(verb, arg)
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.verb, a.arg, a.busy, a.since = verb, arg, true, now
}

// end notes that a command was executed.
func (a *activity) end(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.busy, a.since = false, now
	if a.transfer == nil {
		a.arg = "" // what is long would be kept for as long as the session idles
	}
}

// login notes who is logged in.
func (a *activity) login(user string, anonymous bool, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.user, a.anonymous, a.loggedIn = user, anonymous, now
}

// setTLS notes the version of TLS.
func (a *activity) setTLS(version uint16) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.version = version
}

// setTransfer notes the transfer that runs; nil if none does.
func (a *activity) setTransfer(t *transfer.Transfer) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.transfer = t
	if t == nil {
		a.since, a.arg = now, ""
	}
}

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
