// Package limits counts the sessions of the server, of each user and of each address, and keeps these counts within
// the configured limits. Start reading at Counter and its method Connect. The package imports config of this module.
//
// Sessions without a login have a limit of their own (limits.maxPreLogin), since anyone can open them. When it is
// reached, an old session gives way to the new one: a client that means to log in does so within moments, so the
// session that has waited longest is most likely an attacker's. The session is taken from the address with the most
// sessions without a login, so a crowd from one address drives out only itself.
//
// A session whose password is being checked is spared. Otherwise a queue of logins after a restart would drive out
// those that have waited longest. It is not spared for a newcomer from another address if its own address has more
// sessions without a login than the newcomer's would have.
//
// Sessions without a login also give way when limits.maxSessions is reached.
package limits

import (
	"container/list"
	"errors"
	"net/netip"
	"sync"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// The errors for limits that are reached. Their texts may be sent to the client.
var (
	// ErrServerFull: limits.maxSessions is reached, and no session without a login can give way.
	ErrServerFull = errors.New("too many sessions")
	// ErrAddressFull: limits.maxSessionsPerAddress is reached.
	ErrAddressFull = errors.New("too many sessions from your address")
	// ErrPreLoginFull: limits.maxPreLogin is reached, and no session can give way.
	ErrPreLoginFull = errors.New("too many logins at this moment")
	// ErrUserFull: limits.maxSessionsPerUser is reached.
	ErrUserFull = errors.New("too many sessions of this user")
)

// Counter counts the sessions of a server. The zero value is ready to use. It is safe for concurrent use.
type Counter struct {
	mu       sync.Mutex
	sessions int
	leaving  int // the sessions that had to give way and have not ended yet; sessions includes them
	preLogin int
	users    map[string]int
	networks map[netip.Prefix]*network
}

// network holds the sessions of an IPv4 address, or of the /64 network of an IPv6 address.
type network struct {
	sessions int
	preLogin list.List // of *Lease: the sessions without a login, the oldest first
}

// Lease is a counted session. Its methods are safe for concurrent use.
type Lease struct {
	counter *Counter
	addr    netip.Prefix
	network *network
	evict   func()

	// The fields below are guarded by the counter's lock.
	user    string
	waiting *list.Element // its place in network.preLogin; nil if it is not there
	busy    bool
	leaving bool
	ended   bool
}

// Connect counts a new session from an address. With hidden, the address is not the client's own, and
// limits.maxSessionsPerAddress does not apply. Connect calls evict, at most once and without holding a lock, if the
// session has to give way before a login; the session no longer counts as one without a login then. Errors:
// ErrServerFull, ErrAddressFull, ErrPreLoginFull.
func (c *Counter) Connect(addr netip.Addr, hidden bool, l *config.Limits, evict func()) (*Lease, error) {
	lease, victims, err := c.connect(prefix(addr), hidden, l, evict)
	for _, v := range victims {
		v.evict()
	}
	return lease, err
}

// connect is Connect, except that it returns the sessions to evict in place of evicting them.
func (c *Counter) connect(addr netip.Prefix, hidden bool, l *config.Limits, evict func()) (lease *Lease, victims []*Lease, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.networks[addr]
	if n != nil && !hidden && l.MaxSessionsPerAddress > 0 && n.sessions >= l.MaxSessionsPerAddress {
		return nil, nil, ErrAddressFull
	}
	// This loops more than once if a limit was lowered, or if a user has logged out.
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

// victim returns the session that gives way to one from the network newcomer, or nil if none can. It is the oldest
// session whose password is not being checked, of the address with the most sessions without a login. If there is
// none, it is the newest session whose password is being checked, of the address with the most sessions without a
// login, provided that this address has more of them than the newcomer's would have.
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

// Authenticating notes whether the session's password is being checked (busy).
func (l *Lease) Authenticating(busy bool) {
	l.counter.mu.Lock()
	defer l.counter.mu.Unlock()
	l.busy = busy
}

// Login counts the session as one of the user's. If that would be one too many, it returns ErrUserFull and changes
// nothing.
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

// Logout counts the session as one without a login again. That may exceed limits.maxPreLogin; the next session that
// connects then makes older ones give way.
func (l *Lease) Logout() {
	l.counter.mu.Lock()
	defer l.counter.mu.Unlock()
	if l.ended || l.user == "" {
		return
	}
	l.leaveUser()
	l.enterQueue()
}

// Release ends the counting of the session. It may be called again, and then does nothing.
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

// The functions below are called with the counter's lock held.

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

// leave notes whether the session had to give way and has not ended yet.
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

// Counts are the numbers of sessions: all of them, those without a login (PreLogin), and those that had to give way
// and have not ended yet (Leaving).
type Counts struct{ Sessions, PreLogin, Leaving int }

// Counts returns the current counts.
func (c *Counter) Counts() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Counts{Sessions: c.sessions, PreLogin: c.preLogin, Leaving: c.leaving}
}

// prefix returns what counts as one address: a single IPv4 address, or the /64 network of an IPv6 address.
func prefix(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits) // no address gives the zero Prefix, which counts like any other
	return p
}
