package observe

import (
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/bans"
)

// Observer is told what happens in a Server, as it happens: it is for metrics. It is called by
// many goroutines in the midst of their work, so it must neither block nor be slow. What can be
// looked up at any time is in Stats instead.
type Observer interface {
	// Connection: a control connection was taken, or refused.
	Connection(r ConnectionResult)
	// Login: somebody has logged in, or tried to.
	Login(r LoginResult)
	// Command came: an index of Verbs, or -1 for one that is not known.
	Command(verb int)
	// Reply was sent, with its code.
	Reply(code int)
	// TransferBegan, also one whose data connection never comes.
	TransferBegan(d Direction)
	// FirstByte: so long after its command a transfer was ready for its first byte: the data
	// connection was there, and its TLS agreed upon.
	FirstByte(d Direction, after time.Duration)
	// Moved: so many octets went over a data connection.
	Moved(d Direction, n int64)
	// TransferEnded, so long after its command.
	TransferEnded(d Direction, r TransferResult, took time.Duration)
	// Unused: a reservation of a passive port ended, and no data connection had come for it.
	Unused(why UnusedReservation)
	// Handshake of TLS.
	Handshake(c Channel, r HandshakeResult)
	// Banned: a ban began, for a reason.
	Banned(reason bans.Event)
	// Panicked: a session or a transfer has panicked, and was ended.
	Panicked()
	// ConfigLoaded: a configuration was put in force, or refused.
	ConfigLoaded(ok bool)
}

// unobserved is the Observer of a Server that was given none.
type Nop struct{}

func (Nop) Connection(ConnectionResult)                            {}
func (Nop) Login(LoginResult)                                      {}
func (Nop) Command(int)                                            {}
func (Nop) Reply(int)                                              {}
func (Nop) TransferBegan(Direction)                                {}
func (Nop) FirstByte(Direction, time.Duration)                     {}
func (Nop) Moved(Direction, int64)                                 {}
func (Nop) TransferEnded(Direction, TransferResult, time.Duration) {}
func (Nop) Unused(UnusedReservation)                               {}
func (Nop) Handshake(Channel, HandshakeResult)                     {}
func (Nop) Banned(bans.Event)                                      {}
func (Nop) Panicked()                                              {}
func (Nop) ConfigLoaded(bool)                                      {}

// ConnectionResult is what became of a control connection.
type ConnectionResult int

// The results. Those beside ConnectionTaken are refusals.
const (
	ConnectionTaken ConnectionResult = iota
	ConnectionBanned
	ConnectionServerFull
	ConnectionAddressFull
	ConnectionPreLoginFull
	// ConnectionOutsider: the client's network is not allowed.
	ConnectionOutsider
	// ConnectionProxy: the PROXY header is missing or wrong, or the peer must not come past the proxy.
	ConnectionProxy
	// ConnectionNotReady: no passive ports or no address yet, or the server is on its way out.
	ConnectionNotReady
	// ConnectionNoResources: the server's memory or descriptors bear no more sessions.
	ConnectionNoResources
	// ConnectionResults is how many there are.
	ConnectionResults
)

// String is the result as metrics name it.
func (r ConnectionResult) String() string {
	return [...]string{"taken", "banned", "server_full", "address_full", "pre_login_full", "outsider", "proxy", "not_ready", "no_resources"}[r]
}

// LoginResult is what became of a login.
type LoginResult int

// The results. Those beside LoginOK are failures.
const (
	LoginOK LoginResult = iota
	// LoginIncorrect: a wrong name or password.
	LoginIncorrect
	// LoginBanned: the user's name is banned, and too many wait.
	LoginBanned
	// LoginLimited: the user has too many sessions.
	LoginLimited
	// LoginNoHome: the home can't be opened.
	LoginNoHome
	// LoginUnverifiable: verifying the password takes more memory than there is for hashes.
	LoginUnverifiable
	// LoginResults is how many there are.
	LoginResults
)

// String is the result as metrics name it.
func (r LoginResult) String() string {
	return [...]string{"ok", "incorrect", "banned", "limited", "no_home", "unverifiable"}[r]
}

// Direction is which way a transfer goes.
type Direction int

// The directions, as the client sees them.
const (
	Download Direction = iota
	Upload
	Listing
	// Directions is how many there are.
	Directions
)

// String is the direction as metrics and the management API name it.
func (d Direction) String() string { return [...]string{"download", "upload", "listing"}[d] }

// TransferResult is what became of a transfer.
type TransferResult int

// The results. Those beside TransferOK are failures.
const (
	TransferOK TransferResult = iota
	// TransferAborted by the client: ABOR, or it has hung up.
	TransferAborted
	// TransferCut by the server: it shuts down, the user was removed, or somebody has ended the session.
	TransferCut
	// TransferNoConnection: the data connection never came about (425).
	TransferNoConnection
	// TransferTLS: TLS was not agreed upon on the data connection (522).
	TransferTLS
	// TransferStalled: the data connection stood still for too long.
	TransferStalled
	// TransferBroken: the data connection failed, or ended before everything had come.
	TransferBroken
	// TransferNoSpace: the disk is full (452).
	TransferNoSpace
	// TransferQuota: the user's quota is full (552).
	TransferQuota
	// TransferStorage: the server could not read or write the file.
	TransferStorage
	// TransferBusy: somebody else writes to the file, or the server is too busy (450, 553).
	TransferBusy
	// TransferPanicked: a fault of the server's program.
	TransferPanicked
	// TransferResults is how many there are.
	TransferResults
)

// String is the result as metrics name it.
func (r TransferResult) String() string {
	return [...]string{
		"ok", "aborted", "cut", "no_connection", "tls", "stalled", "broken", "no_space", "quota", "storage", "busy", "panic",
	}[r]
}

// Channel is which connection of a session TLS is on.
type Channel int

// The channels.
const (
	ControlChannel Channel = iota
	DataChannel
	// Channels is how many there are.
	Channels
)

// String is the channel as metrics name it.
func (c Channel) String() string { return [...]string{"control", "data"}[c] }

// HandshakeResult is what became of a handshake of TLS.
type HandshakeResult int

// The results.
const (
	// HandshakeFull made a new session of TLS.
	HandshakeFull HandshakeResult = iota
	// HandshakeResumed resumed one, which on data connections is the control connection's.
	HandshakeResumed
	// HandshakeFailed was not completed.
	HandshakeFailed
	// HandshakeRefused: a data connection that did not resume, or showed another certificate.
	HandshakeRefused
	// HandshakeResults is how many there are.
	HandshakeResults
)

// String is the result as metrics name it.
func (r HandshakeResult) String() string {
	return [...]string{"full", "resumed", "failed", "refused"}[r]
}
