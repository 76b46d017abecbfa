// Package limits counts sessions, by server, user and address, and keeps them within bounds.
//
// Sessions in which nobody is logged in are bounded apart, since anybody can open them. When
// there are too many, the oldest gives way to the newest: a client that means to log in does so
// within moments, so that what has been there for the longest is most likely an attacker's. It
// is taken from the address that has the most of them, so that a crowd from one address drives
// out only itself. A session whose password is being checked is spared, or a queue of logins
// after a restart would drive out those who have waited for the longest; but not for a newcomer
// from elsewhere if its address has more of them than the newcomer's would have. Sessions in which nobody
// is logged in give way as well when maxSessions is reached.
package limits

import (
	"container/list"
	"errors"
	"net/netip"
	"sync"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Errors of a limit that is reached, as the client may be told them.
var (
	// ErrServerFull: limits.maxSessions, and nobody is there who is not logged in.
	ErrServerFull = errors.New("too many sessions")
	// ErrAddressFull: limits.maxSessionsPerAddress.
	ErrAddressFull = errors.New("too many sessions from your address")
	// ErrPreLoginFull: limits.maxPreLogin, and none could give way.
	ErrPreLoginFull = errors.New("too many logins at this moment")
	// ErrUserFull: limits.maxSessionsPerUser.
	ErrUserFull = errors.New("too many sessions of this user")
)

// Counter counts the sessions of a server. The zero value counts none. It is safe for concurrent
// use.
type Counter struct {
	mu       sync.Mutex
	sessions int
	leaving  int // of sessions: those that had to give way and have not ended yet
	preLogin int
	users    map[string]int
	networks map[netip.Prefix]*network
}

// network is the sessions of an address, of an IPv6 address those of its /64.
type network struct {
	sessions int
	preLogin list.List // of *Lease, the oldest first
}

// Lease is a session that is counted. Its methods may be called from any goroutine.
type Lease struct {
	counter *Counter
	addr    netip.Prefix
	network *network
	evict   func()

	// Guarded by the counter's lock.
	user    string
	waiting *list.Element // its place among those in which nobody is logged in; nil if it has none
	busy    bool
	leaving bool
	ended   bool
}

// Connect counts a session from an address. If hidden, the address is not the client's own, and
// its sessions are not bounded. evict is called, once at most and without a lock, when the
// session has to give way before somebody has logged in; it is no longer counted among those then.
// Errors: ErrServerFull, ErrAddressFull, ErrPreLoginFull.
func (c *Counter) Connect(addr netip.Addr, hidden bool, l *config.Limits, evict func()) (*Lease, error) {
	lease, victims, err := c.connect(prefix(addr), hidden, l, evict)
	for _, v := range victims {
		v.evict()
	}
	return lease, err
}

func (c *Counter) connect(addr netip.Prefix, hidden bool, l *config.Limits, evict func()) (lease *Lease, victims []*Lease, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.networks[addr]
	if n != nil && !hidden && l.MaxSessionsPerAddress > 0 && n.sessions >= l.MaxSessionsPerAddress {
		return nil, nil, ErrAddressFull
	}
	// More than once if a limit was lowered, or somebody logged out.
	for {
		var full error
		switch {
		case l.MaxSessions > 0 && c.sessions-c.leaving >= l.MaxSessions:
			full = ErrServerFull
		case c.preLogin >= l.MaxPreLogin:
			full = ErrPreLoginFull
		}
		if full == nil {
			break
		}
		victim := c.victim(n)
		if victim == nil {
			return nil, victims, full
		}
		victim.leaveQueue()
		victim.leave(true)
		victims = append(victims, victim)
	}
	if n == nil {
		if c.networks == nil {
			c.networks = map[netip.Prefix]*network{}
		}
		n = new(network)
		c.networks[addr] = n
	}
	c.sessions++
	n.sessions++
	lease = &Lease{counter: c, addr: addr, network: n, evict: evict}
	lease.enterQueue()
	return lease, victims, nil
}

// victim is the oldest session, that can give way, of the address with the most of them. If none can, it is
// the newest one whose password is being checked, of the address with the most of those, unless
// the newcomer's would then have as many.
func (c *Counter) victim(newcomer *network) *Lease {
	var idle, busy *Lease
	mostIdle, mostBusy := 0, 1
	if newcomer != nil {
		mostBusy += newcomer.preLogin.Len()
	}
	for _, n := range c.networks {
		waiting := n.preLogin.Len()
		if waiting > mostBusy {
			busy, mostBusy = n.preLogin.Back().Value.(*Lease), waiting
		}
		if waiting <= mostIdle {
			continue
		}
		for e := n.preLogin.Front(); e != nil; e = e.Next() {
			if lease := e.Value.(*Lease); !lease.busy {
				idle, mostIdle = lease, waiting
				break
			}
		}
	}
	if idle != nil {
		return idle
	}
	return busy
}

// Authenticating says whether the session's password is being checked.
func (l *Lease) Authenticating(busy bool) {
	l.counter.mu.Lock()
	defer l.counter.mu.Unlock()
	l.busy = busy
}

// Login counts the session as one of the user's. Error: ErrUserFull, and nothing has changed.
func (l *Lease) Login(user string, limits *config.Limits) error {
	c := l.counter
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.ended {
		return nil
	}
	if limits.MaxSessionsPerUser > 0 && c.users[user] >= limits.MaxSessionsPerUser {
		return ErrUserFull
	}
	l.leaveUser()
	if c.users == nil {
		c.users = map[string]int{}
	}
	c.users[user]++
	l.user = user
	l.leaveQueue()
	l.leave(false)
	return nil
}

// Logout counts the session as one in which nobody is logged in. It may be one too many: the
// next that connects makes them give way.
func (l *Lease) Logout() {
	l.counter.mu.Lock()
	defer l.counter.mu.Unlock()
	if l.ended || l.user == "" {
		return
	}
	l.leaveUser()
	l.enterQueue()
}

// Release ends the session. It may be called again, and then does nothing.
func (l *Lease) Release() {
	c := l.counter
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.ended {
		return
	}
	l.ended = true
	l.leaveUser()
	l.leaveQueue()
	l.leave(false)
	c.sessions--
	if l.network.sessions--; l.network.sessions == 0 {
		delete(c.networks, l.addr)
	}
}

// The following are called with the counter's lock.

func (l *Lease) enterQueue() {
	l.waiting = l.network.preLogin.PushBack(l)
	l.counter.preLogin++
}

func (l *Lease) leaveQueue() {
	if l.waiting != nil {
		l.network.preLogin.Remove(l.waiting)
		l.waiting = nil
		l.counter.preLogin--
	}
}

// leave says whether the session has to give way, and has not ended yet.
func (l *Lease) leave(leaving bool) {
	switch {
	case leaving && !l.leaving:
		l.counter.leaving++
	case !leaving && l.leaving:
		l.counter.leaving--
	}
	l.leaving = leaving
}

func (l *Lease) leaveUser() {
	if l.user == "" {
		return
	}
	users := l.counter.users
	if users[l.user]--; users[l.user] == 0 {
		delete(users, l.user)
	}
	l.user = ""
}

// Counts are how many sessions there are. Those that are Leaving had to give way and have not ended yet.
type Counts struct{ Sessions, PreLogin, Leaving int }

// Counts returns the counts.
func (c *Counter) Counts() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Counts{Sessions: c.sessions, PreLogin: c.preLogin, Leaving: c.leaving}
}

// prefix is what counts as one address: an IPv4 address, the /64 of an IPv6 one.
func prefix(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits) // of no address: the zero Prefix, which is an address like others
	return p
}
