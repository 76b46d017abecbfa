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

// SessionState is what a session does.
type SessionState string

// The states.
const (
	// SessionIdle waits for a command.
	SessionIdle SessionState = "idle"
	// SessionBusy executes a command that moves no data.
	SessionBusy SessionState = "busy"
	// SessionTransfer moves data, or waits for its data connection.
	SessionTransfer SessionState = "transfer"
)

// SessionInfo is a session as others see it. What comes from a client is safe for any terminal.
type SessionInfo struct {
	// ID is the session's number in the log.
	ID uint64 `json:"id"`
	// Peer is the client, Local what it has connected to, and Proxy, if there is one, who told of the two.
	Peer  netip.AddrPort `json:"peer"`
	Local netip.AddrPort `json:"local"`
	Proxy netip.AddrPort `json:"proxy,omitzero"`
	// User is who is logged in; empty before.
	User      string `json:"user,omitempty"`
	Anonymous bool   `json:"anonymous,omitempty"`
	// TLS is the version of TLS on the control connection; empty in clear text.
	TLS string `json:"tls,omitempty"`
	// Connected and LoggedIn are when that was.
	Connected time.Time `json:"connected"`
	LoggedIn  time.Time `json:"loggedIn,omitzero"`
	// State is what it does, since when, and Command what it executes, or did last; passwords are
	// left out.
	State   SessionState `json:"state"`
	Since   time.Time    `json:"since"`
	Command string       `json:"command,omitempty"`
	// Transfer is there in SessionTransfer.
	Transfer *TransferInfo `json:"transfer,omitempty"`
}

// TransferInfo is a transfer that runs.
type TransferInfo struct {
	// Direction is download, upload or listing.
	Direction string `json:"direction"`
	// Path is the file or directory, below the user's home.
	Path string `json:"path"`
	// Bytes moved so far on the data connection, in steps of up to 4 MiB. Size is how many it will
	// be; -1 if that is not known.
	Bytes int64 `json:"bytes"`
	Size  int64 `json:"size"`
	// BytesPerSecond is how fast it was in the last seconds, AverageBytesPerSecond since its command.
	BytesPerSecond        int64 `json:"bytesPerSecond"`
	AverageBytesPerSecond int64 `json:"averageBytesPerSecond"`
	// TLS: the data connection is encrypted.
	TLS bool `json:"tls"`
}

// Sessions lists the sessions that are open, the oldest first.
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

// Kick ends a session: its transfer is aborted with 426, and it gets 421. It reports whether there
// was one of that number.
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

// info describes the session.
func (s *session) info(now time.Time) SessionInfo {
	i := SessionInfo{ID: s.id, Peer: s.peer, Local: s.local, Proxy: s.proxy, State: SessionIdle}
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

// transferInfo describes a transfer.
func transferInfo(t *transfer.Transfer, now time.Time) *TransferInfo {
	s := t.Snapshot(now)
	return &TransferInfo{
		Direction: t.Kind.Direction().String(), Path: wire.LoggableText(t.Path),
		Bytes: s.Bytes, Size: t.Size, TLS: s.TLS, BytesPerSecond: s.Rate, AverageBytesPerSecond: s.Average,
	}
}
