package config

// Limits bound what clients may take. They hold for new sessions from the moment they are
// loaded; those that are open stay. Bandwidth changes running transfers too.
type Limits struct {
	// MaxSessions bounds the sessions of the server. When there are so many, one more takes the place of a session in which
	// nobody is logged in, also of one whose failed login is being delayed, and gets 421 if there is
	// none. What memory and descriptors bear bounds them too (see Status.Resources). 0 (default): no bound.
	MaxSessions int `json:"maxSessions,omitempty"`
	// MaxSessionsPerUser bounds the sessions in which one user is logged in; all anonymous ones
	// count together. 0 (default): no bound.
	MaxSessionsPerUser int `json:"maxSessionsPerUser,omitempty"`
	// MaxSessionsPerAddress bounds the sessions of one client address; an IPv6 client is its /64
	// network, which is what one subscriber has. It does nothing where addresses are hidden (see
	// Config.AddressesHidden). 0 (default): no bound.
	MaxSessionsPerAddress int `json:"maxSessionsPerAddress,omitempty"`
	// MaxPreLogin bounds the sessions in which nobody is logged in yet. One more takes the place
	// of the oldest of the address that has the most of them, which gets 421, also while its failed login is being delayed; sessions whose
	// password is just being checked keep theirs, unless their address has more of them. With a memory limit it is at most half of the sessions that
	// the memory bears. Default 1024; 1 to 100000.
	MaxPreLogin int `json:"maxPreLogin,omitempty"`
	// Bandwidth bounds the rates of transfers.
	Bandwidth Bandwidth `json:"bandwidth,omitzero"`
}

// Bandwidth bounds rates; all that apply hold at the same time.
type Bandwidth struct {
	// Session is for each session.
	Session Rates `json:"session,omitzero"`
	// User is for all sessions of one user together.
	User Rates `json:"user,omitzero"`
	// Server is for all sessions together.
	Server Rates `json:"server,omitzero"`
}

// Rates are in bytes a second; at least 1024. 0 (default): no bound.
type Rates struct {
	// Up is from the client to the server.
	Up int64 `json:"up,omitempty"`
	// Down is from the server to the client.
	Down int64 `json:"down,omitempty"`
}

// DefaultMaxPreLogin is what limits.maxPreLogin is when nothing is said.
const DefaultMaxPreLogin = 1024

const (
	maxPreLoginBound = 100000
	minRate          = 1024
)

func (l *Limits) setDefaults() { setDefault(&l.MaxPreLogin, DefaultMaxPreLogin) }

func (p *problems) limits(l *Limits) {
	for _, n := range []struct {
		field string
		value int
	}{
		{"maxSessions", l.MaxSessions},
		{"maxSessionsPerUser", l.MaxSessionsPerUser},
		{"maxSessionsPerAddress", l.MaxSessionsPerAddress},
	} {
		if n.value < 0 {
			p.add("limits."+n.field, "%d is negative: write how many sessions there may be, or 0 for no bound", n.value)
		}
	}
	if l.MaxPreLogin < 1 || l.MaxPreLogin > maxPreLoginBound {
		p.add("limits.maxPreLogin", "%d is out of range: write 1 to %d", l.MaxPreLogin, maxPreLoginBound)
	}
	for _, r := range []struct {
		field string
		value int64
	}{
		{"session.up", l.Bandwidth.Session.Up}, {"session.down", l.Bandwidth.Session.Down},
		{"user.up", l.Bandwidth.User.Up}, {"user.down", l.Bandwidth.User.Down},
		{"server.up", l.Bandwidth.Server.Up}, {"server.down", l.Bandwidth.Server.Down},
	} {
		if r.value != 0 && r.value < minRate {
			p.add("limits.bandwidth."+r.field, "%d is too little: write at least %d bytes a second, or 0 for no bound", r.value, minRate)
		}
	}
}
