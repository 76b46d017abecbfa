// Package limits counts sessions, by server, user and address, and keeps them within bounds.
//
// Sessions in which nobody is logged in are bounded apart, since anybody can open them. When
// there are too many, the oldest gives way to the newest: a client that means to log in does so
// within moments, so that what has been there for the longest is most likely an attacker's. It
// is taken from the address that has the most of them, so that a crowd from one address drives
// out only itself. A session whose password is being checked is spared, or a queue of logins
// after a restart would drive out those who have waited for the longest.
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
	// ErrServerFull: limits.maxSessions.
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
	switch {
	case l.MaxSessions > 0 && c.sessions >= l.MaxSessions:
		return nil, nil, ErrServerFull
	case n != nil && !hidden && l.MaxSessionsPerAddress > 0 && n.sessions >= l.MaxSessionsPerAddress:
		return nil, nil, ErrAddressFull
	}
	for c.preLogin >= l.MaxPreLogin { // more than once if the limit was lowered, or somebody logged out
		victim := c.victim()
		if victim == nil {
			return nil, victims, ErrPreLoginFull
		}
		victim.leaveQueue()
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

// victim is the oldest session, that can give way, of the address with the most of them.
func (c *Counter) victim() *Lease {
	var victim *Lease
	most := 0
	for _, n := range c.networks {
		if n.preLogin.Len() <= most {
			continue
		}
		for e := n.preLogin.Front(); e != nil; e = e.Next() {
			if lease := e.Value.(*Lease); !lease.busy {
				victim, most = lease, n.preLogin.Len()
				break
			}
		}
	}
	return victim
}

// Busy says whether the session's password is being checked.
func (l *Lease) Busy(busy bool) {
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

// Counts are how many sessions there are.
type Counts struct{ Sessions, PreLogin int }

// Counts returns the counts.
func (c *Counter) Counts() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Counts{Sessions: c.sessions, PreLogin: c.preLogin}
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
