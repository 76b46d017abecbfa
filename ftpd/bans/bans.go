// Package bans keeps out, for a while, who guesses passwords or abuses the protocol.
// What speaks against a client is counted over a sliding window; when it is as much as the
// configured number of failed logins, a ban begins, and each further one lasts twice as long as
// the one before. The same wrong password of the same user counts once: who repeats it is a
// device that nobody told the new one, and learns nothing. It knows a bounded number of clients,
// whatever their addresses.
//
// A banned address is refused. A banned user name is not, since anybody could keep the user out by
// it: its logins are let through one by one, slowly (see Delay).
package bans

import (
	"cmp"
	"container/list"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/internal/keyed"
)

const (
	// capacity bounds the subjects that are known, at a few hundred bytes each, and what
	// maxRemembered adds.
	capacity = 20000
	// maxUserBan bounds the ban of a user name, which anybody can bring about.
	maxUserBan = time.Hour
)

// Subject is who is watched and banned: an address or a user name. The zero value is nobody.
type Subject struct {
	network netip.Prefix
	user    string
}

// Address is the subject of an address: an IPv4 address, or the /64 network of an IPv6 one, since
// whoever has one address of it has them all.
func Address(addr netip.Addr) Subject {
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	network, err := addr.Prefix(bits)
	if err != nil {
		return Subject{} // not an address
	}
	return Subject{network: network}
}

// maxUserName is one more than the longest name that a user can have.
const maxUserName = 65

// User is the subject of a user name, whether or not there is such a user. Names longer than any
// user's are cut, so that they take no room.
func User(name string) Subject { return Subject{user: name[:min(len(name), maxUserName)]} }

// Network is the network that is banned; false if it is a user name.
func (s Subject) Network() (netip.Prefix, bool) { return s.network, s.network.IsValid() }

// String is the network as CIDR, or the user name.
func (s Subject) String() string {
	if s.network.IsValid() {
		return s.network.String()
	}
	return s.user
}

// Ban is a ban in force.
type Ban struct {
	Subject Subject
	// Reason is what the last of it was that began the ban.
	Reason Event
	// Count is how many bans in a row this one makes.
	Count int
	Until time.Time
}

// List knows who is banned. It is safe for concurrent use.
type List struct {
	now   func() time.Time
	began time.Time

	bans atomic.Int64 // entries with a ban, over or not: zero makes Banned cheap

	capacity int // of known
	key      *keyed.Key

	mu      sync.Mutex
	cfg     config.Bans
	trusted []config.Network
	known   map[Subject]*entry
	guesses map[Subject]*guesses // of those who try passwords at this moment
	quiet   *list.List           // entries that were never banned, the one heard of the longest ago first
	banned  *list.List           // the others, the oldest ban first
}

// entry is what is known of a subject. Its list element holds itself.
type entry struct {
	subject Subject
	score   score
	failed  failed
	reason  Event
	count   int       // bans so far
	until   time.Time // of the last one; zero if there was none
	turn    time.Time // of the next login, while a user name is banned
	place   *list.Element
}

// New returns an empty list. now tells the time; nil is time.Now.
func New(now func() time.Time) *List {
	if now == nil {
		now = time.Now
	}
	return &List{now: now, began: now(), capacity: capacity, key: keyed.NewKey(), known: map[Subject]*entry{}, guesses: map[Subject]*guesses{}, quiet: list.New(), banned: list.New()}
}

// Set puts a configuration in force. Bans that run keep their end; but while bans are off, or
// for an address that is allowed now, they do not count. trusted networks are never banned: they
// are the proxies that others come through.
func (l *List) Set(cfg config.Bans, trusted []config.Network) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cfg, l.trusted = cfg, trusted
}

// Report counts an event against the subject. If that began a ban, it returns the ban and true.
func (l *List) Report(who Subject, e Event) (Ban, bool) {
	return l.report(who, e, func(*entry, time.Time) bool { return false })
}

// ReportLogin is Report of a FailedLogin. It does not count if the subject has failed with the
// same user and password within the window, counted from the last time; of each subject the
// newest maxRemembered of them are known.
func (l *List) ReportLogin(who Subject, user, password string) (Ban, bool) {
	tried := l.key.Digest(user, password)
	return l.report(who, FailedLogin, func(en *entry, now time.Time) bool {
		return en.failed.seen(tried, now, l.cfg.Window.Std(), min(l.cfg.Failures, maxRemembered))
	})
}

// report is Report, of what spared does not excuse.
func (l *List) report(who Subject, e Event, spared func(en *entry, now time.Time) bool) (Ban, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.exempt(who) {
		return Ban{}, false
	}
	now := l.now()
	en := l.entry(who, now)
	if now.Before(en.until) {
		return Ban{}, false // banned already: what was under way when the ban began
	}
	if spared(en, now) {
		return Ban{}, false
	}
	if en.score.add(now.Sub(l.began), l.cfg.Window.Std(), weights[e]) < uint32(l.cfg.Failures)*failure { //nolint:gosec // validated: at most 1000
		return Ban{}, false
	}
	if l.forgotten(en, now) {
		en.count = 0
	}
	if en.until.IsZero() {
		l.bans.Add(1)
	}
	en.count++
	en.reason, en.score, en.turn = e, score{}, time.Time{}
	en.until = now.Add(l.duration(en))
	l.quiet.Remove(en.place)
	l.banned.Remove(en.place) // of the two, the list that it is not in ignores it
	en.place = l.banned.PushBack(en)
	return en.ban(), true
}

// duration is how long the ban lasts that an entry gets now.
func (l *List) duration(en *entry) time.Duration {
	longest := l.cfg.MaxDuration.Std()
	if en.subject.user != "" {
		longest = min(longest, max(maxUserBan, l.cfg.Duration.Std()))
	}
	d := l.cfg.Duration.Std()
	for range en.count - 1 {
		if d *= 2; d >= longest {
			return longest
		}
	}
	return min(d, longest)
}

// forgotten reports whether the subject has behaved for so long that its next ban is a first one.
func (l *List) forgotten(en *entry, now time.Time) bool {
	return !en.until.IsZero() && now.After(en.until.Add(l.cfg.MaxDuration.Std()))
}

// exempt reports whether nothing counts against the subject.
func (l *List) exempt(who Subject) bool {
	if !l.cfg.On() || who == (Subject{}) || l.cfg.Failures == 0 {
		return true
	}
	return who.network.IsValid() && (overlaps(l.cfg.Allow, who.network) || overlaps(l.trusted, who.network))
}

// overlaps reports whether a network holds the subject's, or a part of it: of an IPv6 /64 a
// single allowed address spares the whole.
func overlaps(networks []config.Network, subject netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(n config.Network) bool { return n.Overlaps(subject) })
}

// entry finds or makes an entry. To make room it forgets the subject that has been quiet for the
// longest, and if all are banned the one that was banned first.
func (l *List) entry(who Subject, now time.Time) *entry {
	if en := l.known[who]; en != nil {
		if en.until.IsZero() {
			l.quiet.MoveToBack(en.place)
		}
		return en
	}
	if len(l.known) >= l.capacity {
		l.makeRoom(now)
	}
	en := &entry{subject: who}
	en.place = l.quiet.PushBack(en)
	l.known[who] = en
	return en
}

func (l *List) makeRoom(now time.Time) {
	victim := l.quiet.Front()
	if first := l.banned.Front(); victim == nil || first != nil && l.forgotten(first.Value.(*entry), now) {
		victim = first
	}
	l.forget(victim.Value.(*entry))
}

func (l *List) forget(en *entry) {
	delete(l.known, en.subject)
	if en.until.IsZero() {
		l.quiet.Remove(en.place)
		return
	}
	l.banned.Remove(en.place)
	l.bans.Add(-1)
}

// Banned reports whether the subject is banned now, and until when.
func (l *List) Banned(who Subject) (until time.Time, banned bool) {
	if l.bans.Load() == 0 {
		return time.Time{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	en := l.known[who]
	if en == nil || !l.now().Before(en.until) || l.exempt(who) {
		return time.Time{}, false
	}
	return en.until, true
}

const (
	// turnEvery is how often a login of a banned user name is let through.
	turnEvery = 10 * time.Second
	// longestTurn is how long one may wait for that. Clients wait longer for a reply.
	longestTurn = 20 * time.Second
)

// Delay says how long a login as the subject, a user name, has to wait: not at all, but while the
// name is banned. Then one login is let through every ten seconds. ok is false if it would wait for
// more than twenty, behind others; there is no turn then.
func (l *List) Delay(who Subject) (wait time.Duration, ok bool) {
	if l.bans.Load() == 0 || who.user == "" {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	en := l.known[who]
	if en == nil || !now.Before(en.until) || l.exempt(who) {
		return 0, true
	}
	wait = max(en.turn.Sub(now), 0)
	if wait > longestTurn {
		return 0, false
	}
	en.turn = now.Add(wait + turnEvery)
	return wait, true
}

// Threshold is the sum of Weight of events that begins a ban; 0 while bans are off.
func (l *List) Threshold() uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.cfg.On() {
		return 0
	}
	return uint32(l.cfg.Failures) * failure //nolint:gosec // validated: at most 1000
}

// Weight is how much an event counts.
func Weight(e Event) uint32 { return weights[e] }

// Bans lists the bans in force, the one that ends first foremost.
func (l *List) Bans() []Ban {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	var found []Ban
	for e := l.banned.Front(); e != nil; e = e.Next() {
		if en := e.Value.(*entry); now.Before(en.until) && !l.exempt(en.subject) {
			found = append(found, en.ban())
		}
	}
	slices.SortStableFunc(found, func(a, b Ban) int {
		return cmp.Or(a.Until.Compare(b.Until), cmp.Compare(a.Subject.String(), b.Subject.String()))
	})
	return found
}

// Active is how many bans are in force.
func (l *List) Active() int {
	if l.bans.Load() == 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now, active := l.now(), 0
	for e := l.banned.Front(); e != nil; e = e.Next() {
		if en := e.Value.(*entry); now.Before(en.until) && !l.exempt(en.subject) {
			active++
		}
	}
	return active
}

// Unban ends a ban and forgets what led to it. It reports whether there was one.
func (l *List) Unban(who Subject) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	en := l.known[who]
	if en == nil {
		return false
	}
	banned := l.now().Before(en.until)
	l.forget(en)
	return banned
}

func (en *entry) ban() Ban {
	return Ban{Subject: en.subject, Reason: en.reason, Count: en.count, Until: en.until}
}
