package observe

import (
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/bans"
)

// Observer receives the events of a Server as they happen, for metrics. Many goroutines call it in the middle of
// their work, so its methods must be safe for concurrent use, must not block and must not be slow. Values that can be
// looked up at any time are in Stats instead.
type Observer interface {
	// Connection reports that a control connection was accepted or refused.
	Connection(r ConnectionResult)
	// Login reports the result of a login attempt.
	Login(r LoginResult)
	// Command reports that a command came. verb is an index of Verbs, or -1 for an unknown verb.
	Command(verb int)
	// Reply reports that a reply was sent, and its code.
	Reply(code int)
	// TransferBegan reports that a transfer began, even if its data connection never comes.
	TransferBegan(d Direction)
	// FirstByte reports that a transfer was ready for its first byte: the data connection was established, its TLS
	// handshake included. after is the time since the transfer's command.
	FirstByte(d Direction, after time.Duration)
	// Moved reports that n octets went over a data connection.
	Moved(d Direction, n int64)
	// TransferEnded reports that a transfer ended. took is the time since the transfer's command.
	TransferEnded(d Direction, r TransferResult, took time.Duration)
	// Unused reports that the reservation of a passive port ended without a data connection.
	Unused(why UnusedReservation)
	// Handshake reports the result of a TLS handshake.
	Handshake(c Channel, r HandshakeResult)
	// Banned reports that a ban began, and the event that caused it.
	Banned(reason bans.Event)
	// Panicked reports that a session or a transfer has panicked and was ended.
	Panicked()
	// ConfigLoaded reports whether a new configuration was put in force (true) or refused (false).
	ConfigLoaded(ok bool)
}

// Nop is the Observer of a Server that was given none. Its methods do nothing.
type Nop struct{}

// Connection does nothing.
func (Nop) Connection(ConnectionResult) {}

// Login does nothing.
func (Nop) Login(LoginResult) {}

// Command does nothing.
func (Nop) Command(int) {}

// Reply does nothing.
func (Nop) Reply(int) {}

// TransferBegan does nothing.
func (Nop) TransferBegan(Direction) {}

// FirstByte does nothing.
func (Nop) FirstByte(Direction, time.Duration) {}

// Moved does nothing.
func (Nop) Moved(Direction, int64) {}

// TransferEnded does nothing.
func (Nop) TransferEnded(Direction, TransferResult, time.Duration) {}

// Unused does nothing.
func (Nop) Unused(UnusedReservation) {}

// Handshake does nothing.
func (Nop) Handshake(Channel, HandshakeResult) {}

// Banned does nothing.
func (Nop) Banned(bans.Event) {}

// Panicked does nothing.
func (Nop) Panicked() {}

// ConfigLoaded does nothing.
func (Nop) ConfigLoaded(bool) {}

// ConnectionResult says whether a control connection was accepted, or why it was refused.
type ConnectionResult int

// The results of a connection. All except ConnectionTaken are refusals.
const (
	ConnectionTaken ConnectionResult = iota
	ConnectionBanned
	ConnectionServerFull
	ConnectionAddressFull
	ConnectionPreLoginFull
	// ConnectionOutsider: the client's network is not allowed.
	ConnectionOutsider
	// ConnectionProxy: the PROXY header is missing or wrong, or the peer may only connect through the proxy.
	ConnectionProxy
	// ConnectionNotReady: the server has no passive ports or no address yet, or it is shutting down.
	ConnectionNotReady
	// ConnectionNoResources: the server has no memory or descriptors for more sessions.
	ConnectionNoResources
	// ConnectionResults is the number of results.
	ConnectionResults
)

// String returns the name of the result in metrics.
func (r ConnectionResult) String() string {
	return [...]string{"taken", "banned", "server_full", "address_full", "pre_login_full", "outsider", "proxy", "not_ready", "no_resources"}[r]
}

// LoginResult is the result of a login attempt.
type LoginResult int

// The results of a login. All except LoginOK are failures.
const (
	LoginOK LoginResult = iota
	// LoginIncorrect: the name or the password is wrong.
	LoginIncorrect
	// LoginBanned: the user's name is banned, and too many logins wait already.
	LoginBanned
	// LoginLimited: the user has too many sessions, or there are no descriptors for another home.
	LoginLimited
	// LoginNoHome: the user's home can't be opened.
	LoginNoHome
	// LoginUnverifiable: verifying the password takes more memory than there is for hashes.
	LoginUnverifiable
	// LoginResults is the number of results.
	LoginResults
)

// String returns the name of the result in metrics.
func (r LoginResult) String() string {
	return [...]string{"ok", "incorrect", "banned", "limited", "no_home", "unverifiable"}[r]
}

// Direction is the direction of a transfer.
type Direction int

// The directions, as seen by the client.
const (
	Download Direction = iota
	Upload
	Listing
	// Directions is the number of directions.
	Directions
)

// String returns the name of the direction in metrics and in the management API.
func (d Direction) String() string { return [...]string{"download", "upload", "listing"}[d] }

// TransferResult is the result of a transfer.
type TransferResult int

// The results of a transfer. All except TransferOK are failures.
const (
	TransferOK TransferResult = iota
	// TransferAborted: the client aborted the transfer with ABOR, or closed the control connection.
	TransferAborted
	// TransferCut: the server ended the transfer because it shuts down, the user was removed, or an administrator
	// ended the session.
	TransferCut
	// TransferNoConnection: no data connection was established (425).
	TransferNoConnection
	// TransferTLS: the TLS handshake of the data connection failed, or its result was refused (522).
	TransferTLS
	// TransferStalled: the data connection made no progress for too long.
	TransferStalled
	// TransferBroken: the data connection failed, or ended before everything had come.
	TransferBroken
	// TransferNoSpace: the disk is full (452).
	TransferNoSpace
	// TransferQuota: the user's quota is full (552).
	TransferQuota
	// TransferStorage: the server could not read or write the file.
	TransferStorage
	// TransferBusy: another session writes to the file, or the server is too busy (450, 553).
	TransferBusy
	// TransferPanicked: a bug in the server.
	TransferPanicked
	// TransferResults is the number of results.
	TransferResults
)

// String returns the name of the result in metrics.
func (r TransferResult) String() string {
	return [...]string{
		"ok", "aborted", "cut", "no_connection", "tls", "stalled", "broken", "no_space", "quota", "storage", "busy", "panic",
	}[r]
}

// Channel says which connection of a session a TLS handshake is for.
type Channel int

// The channels of a session.
const (
	ControlChannel Channel = iota
	DataChannel
	// Channels is the number of channels.
	Channels
)

// String returns the name of the channel in metrics.
func (c Channel) String() string { return [...]string{"control", "data"}[c] }

// HandshakeResult is the result of a TLS handshake.
type HandshakeResult int

// The results of a handshake.
const (
	// HandshakeFull: the handshake created a new TLS session.
	HandshakeFull HandshakeResult = iota
	// HandshakeResumed: the handshake resumed a TLS session, which on a data connection is the control connection's.
	HandshakeResumed
	// HandshakeFailed: the handshake was not completed.
	HandshakeFailed
	// HandshakeRefused: the data connection did not resume the session, or the client showed another certificate.
	HandshakeRefused
	// HandshakeResults is the number of results.
	HandshakeResults
)

// String returns the name of the result in metrics.
func (r HandshakeResult) String() string {
	return [...]string{"full", "resumed", "failed", "refused"}[r]
}
