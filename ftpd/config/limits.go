package config

// Limits says how much clients may take. A new limit applies to new sessions at once; open sessions stay. Bandwidth
// also changes running transfers.
type Limits struct {
	// MaxSessions is the largest number of sessions. When it is reached, a new session takes the place of one in
	// which no user is logged in, even if its failed login is being delayed; if there is none, the new one gets 421.
	// Memory and descriptors limit sessions, too (see Status.Resources). 0 (default): no limit.
	MaxSessions int `json:"maxSessions,omitempty"`
	// MaxSessionsPerUser is the largest number of sessions of one user; all anonymous users count as one. 0
	// (default): no limit.
	MaxSessionsPerUser int `json:"maxSessionsPerUser,omitempty"`
	// MaxSessionsPerAddress is the largest number of sessions of one client address; for IPv6, of its /64 network,
	// which is what one subscriber has. It has no effect where addresses are hidden (see Config.AddressesHidden). 0
	// (default): no limit.
	MaxSessionsPerAddress int `json:"maxSessionsPerAddress,omitempty"`
	// MaxPreLogin is the largest number of sessions in which no user is logged in. A further one takes the place of
	// the oldest one of the address that has the most of them. That one gets 421, even if its failed login is being
	// delayed; sessions whose password is just being checked keep their places, unless their address has more of
	// them. With a memory limit, MaxPreLogin is at most half of the sessions for which the memory suffices. Default
	// 1024; 1 to 100000.
	MaxPreLogin int `json:"maxPreLogin,omitempty"`
	// Bandwidth limits the rates of transfers.
	Bandwidth Bandwidth `json:"bandwidth,omitzero"`
}

// Bandwidth limits the rates of transfers. All limits apply at the same time.
type Bandwidth struct {
	// Session applies to each session.
	Session Rates `json:"session,omitzero"`
	// User applies to all sessions of one user together.
	User Rates `json:"user,omitzero"`
	// Server applies to all sessions together.
	Server Rates `json:"server,omitzero"`
}

// Rates are in bytes per second, at least 1024. 0 (default): no limit.
type Rates struct {
	// Up is the rate from the client to the server.
	Up int64 `json:"up,omitempty"`
	// Down is the rate from the server to the client.
	Down int64 `json:"down,omitempty"`
}

// DefaultMaxPreLogin is the default of limits.maxPreLogin.
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
