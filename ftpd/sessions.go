package ftpd

import (
	"cmp"
	"crypto/tls"
	"net/netip"
	"slices"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// SessionState is the state of a session.
type SessionState string

// The states of sessions.
const (
	// SessionIdle means that the session waits for a command.
	SessionIdle SessionState = "idle"
	// SessionBusy means that the session executes a command that moves no data.
	SessionBusy SessionState = "busy"
	// SessionTransfer means that the session moves data, or waits for its data connection.
	SessionTransfer SessionState = "transfer"
)

// SessionInfo describes a session. Text that comes from the client is safe for any terminal.
type SessionInfo struct {
	// ID is the number of the session in the log.
	ID uint64 `json:"id"`
	// Peer is the client's address, Local the address that the client connected to. Proxy is the proxy that reported
	// both, if there is one.
	Peer  netip.AddrPort `json:"peer"`
	Local netip.AddrPort `json:"local"`
	Proxy netip.AddrPort `json:"proxy,omitzero"`
	// User is the user that is logged in; empty before login.
	User      string `json:"user,omitempty"`
	Anonymous bool   `json:"anonymous,omitempty"`
	// TLS is the TLS version of the control connection; empty in clear text.
	TLS string `json:"tls,omitempty"`
	// Connected is the time of the connection, LoggedIn that of the login.
	Connected time.Time `json:"connected"`
	LoggedIn  time.Time `json:"loggedIn,omitzero"`
	// State is the present state, and Since the time at which it began. Command is the command that is being
	// executed, or was executed last; passwords are left out.
	State   SessionState `json:"state"`
	Since   time.Time    `json:"since"`
	Command string       `json:"command,omitempty"`
	// Transfer describes the transfer. It is nil unless State is SessionTransfer.
	Transfer *TransferInfo `json:"transfer,omitempty"`
}

// TransferInfo describes a running transfer.
type TransferInfo struct {
	// Direction is "download", "upload" or "listing".
	Direction string `json:"direction"`
	// Path is the file or directory, relative to the user's home.
	Path string `json:"path"`
	// Bytes is the number of bytes moved so far over the data connection; it grows in steps of up to 4 MiB. Size is
	// the number of bytes that will be moved in all; -1 if that is not known.
	Bytes int64 `json:"bytes"`
	Size  int64 `json:"size"`
	// BytesPerSecond is the rate of the last seconds, AverageBytesPerSecond the rate since the command.
	BytesPerSecond        int64 `json:"bytesPerSecond"`
	AverageBytesPerSecond int64 `json:"averageBytesPerSecond"`
	// TLS says whether the data connection is encrypted.
	TLS bool `json:"tls"`
}

// Sessions returns the open sessions, the oldest first.
func (s *Server) Sessions() []SessionInfo {
	s.mu.Lock()
	sessions := make([]*session, 0, len(s.sessions))
	for c := range s.sessions {
		sessions = append(sessions, c)
	}
	s.mu.Unlock()
	now := time.Now()
	infos := make([]SessionInfo, 0, len(sessions))
	for _, c := range sessions {
		infos = append(infos, c.info(now))
	}
	slices.SortFunc(infos, func(a, b SessionInfo) int { return cmp.Compare(a.ID, b.ID) })
	return infos
}

// Kick ends the session with the number: its transfer is aborted with 426, and the session ends with 421. Kick
// reports whether there was such a session.
func (s *Server) Kick(id uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.sessions {
		if c.id == id {
			c.end(transfer.ErrKicked)
			return true
		}
	}
	return false
}

// info describes the session at the time now.
func (s *session) info(now time.Time) SessionInfo {
	i := SessionInfo{ID: s.id, Peer: s.origin.Peer, Local: s.origin.Local, Proxy: s.origin.Proxy, State: SessionIdle}
	a := &s.activity
	a.mu.Lock()
	defer a.mu.Unlock()
	i.Connected, i.LoggedIn, i.Since = a.connected, a.loggedIn, a.since
	i.User, i.Anonymous = a.user, a.anonymous
	if a.version != 0 {
		i.TLS = tls.VersionName(a.version)
	}
	i.Command = a.verb
	if a.arg != "" {
		i.Command += " " + wire.LoggableText(a.arg)
	}
	t := a.transfer
	switch {
	case t != nil && t.Kind != transfer.Work:
		i.State, i.Since, i.Transfer = SessionTransfer, t.Started, transferInfo(t, now)
		i.Command = t.Verb
	case t != nil:
		i.State, i.Since, i.Command = SessionBusy, t.Started, t.Verb+" "+wire.LoggableText(t.Path)
	case a.busy:
		i.State = SessionBusy
	}
	return i
}

// transferInfo describes a transfer at the time now.
func transferInfo(t *transfer.Transfer, now time.Time) *TransferInfo {
	s := t.Snapshot(now)
	return &TransferInfo{
		Direction: t.Kind.Direction().String(), Path: wire.LoggableText(t.Path),
		Bytes: s.Bytes, Size: t.Size, TLS: s.TLS, BytesPerSecond: s.Rate, AverageBytesPerSecond: s.Average,
	}
}
