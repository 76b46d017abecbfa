// Package bans keeps out, for a time, clients that guess passwords or abuse the protocol. Start reading at List, and
// there at Report and Banned. The package imports config and internal/keyed of this module.
//
// Each Event that speaks against a client adds its weight to a score over a sliding window. When the score reaches
// that of the configured number of failed logins, a ban begins. Each further ban lasts twice as long as the one
// before. The same wrong password of the same user counts once: a client that repeats it is most likely a device with
// an old password, and it learns nothing by repeating it. The number of clients that the list knows is bounded,
// however many addresses they have.
//
// A banned address is refused. A banned user name is not refused, because anyone could lock the user out that way:
// its logins are let through one by one, slowly (see Delay).
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
	// capacity bounds the number of subjects that are known. Each takes a few hundred bytes, plus what maxRemembered
	// adds.
	capacity = 20000
	// maxUserBan bounds the ban of a user name, since anyone can cause one.
	maxUserBan = time.Hour
)

// Subject is what is watched and banned: an address or a user name. Nothing counts against the zero value.
type Subject struct {
	network netip.Prefix
	user    string
}

// Address returns the subject of an address: a single IPv4 address, or the /64 network of an IPv6 address, since a
// client that has one address of such a network has all of them.
func Address(addr netip.Addr) Subject {
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	network, err := addr.Prefix(bits)
	if err != nil {
		return Subject{} // not a valid address
	}
	return Subject{network: network}
}

// maxUserName is one more than the length of the longest name that a user can have.
const maxUserName = 65

// User returns the subject of a user name, whether or not the user exists. Names longer than any user's are cut, so
// that they take no memory.
func User(name string) Subject { return Subject{user: name[:min(len(name), maxUserName)]} }

// Network returns the network of an address; ok is false if the subject is a user name.
func (s Subject) Network() (netip.Prefix, bool) { return s.network, s.network.IsValid() }

// String returns the network in CIDR notation, or the user name.
func (s Subject) String() string {
	if s.network.IsValid() {
		return s.network.String()
	}
	return s.user
}

// Ban is a ban that is in force.
type Ban struct {
	Subject Subject
	// Reason is the last event before the ban, which caused it.
	Reason Event
	// Count is the number of bans in a row, this one included.
	Count int
	// Until is the end of the ban.
	Until time.Time
}

// List knows which subjects are banned. It is safe for concurrent use.
type List struct {
	now   func() time.Time
	began time.Time

	bans atomic.Int64 // the number of entries with a ban, ended or not; Banned is cheap while it is zero

	capacity int // the bound of len(known)
	key      *keyed.Key

	mu      sync.Mutex
	cfg     config.Bans
	trusted []config.Network
	known   map[Subject]*entry
	guesses map[Subject]*guesses // of the subjects whose passwords are being tried or wait to be tried
	quiet   *list.List           // the entries that were never banned, the one without an event for the longest time first
	banned  *list.List           // the other entries, the oldest ban first
}

// entry is what is known of a subject. The value of its list element is the entry itself.
type entry struct {
	subject Subject
	score   score
	failed  failed
	reason  Event
	count   int       // the number of bans in a row
	until   time.Time // the end of the last ban; zero if there was none
	turn    time.Time // when the next login may be tried while a user name is banned
	place   *list.Element
}

// New returns an empty list. now returns the current time; nil stands for time.Now.
func New(now func() time.Time) *List {
	if now == nil {
		now = time.Now
	}
	return &List{now: now, began: now(), capacity: capacity, key: keyed.NewKey(), known: map[Subject]*entry{}, guesses: map[Subject]*guesses{}, quiet: list.New(), banned: list.New()}
}

// Set puts a configuration in force. Current bans keep their end, but they do not apply while bans are off, nor to an
// address that is allowed now. Addresses in the trusted networks are never banned: these are the proxies through
// which clients connect.
func (l *List) Set(cfg config.Bans, trusted []config.Network) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cfg, l.trusted = cfg, trusted
}

// Report counts an event against the subject. If this begins a ban, Report returns the ban and true.
func (l *List) Report(who Subject, e Event) (Ban, bool) {
	return l.report(who, e, func(*entry, time.Time) bool { return false })
}

// ReportLogin reports a FailedLogin. The event does not count if the subject has failed with the same user and
// password before, and the last such failure was within the window. The newest maxRemembered failures of each subject
// are known.
func (l *List) ReportLogin(who Subject, user, password string) (Ban, bool) {
	tried := l.key.Digest(user, password)
	return l.report(who, FailedLogin, func(en *entry, now time.Time) bool {
		return en.failed.seen(tried, now, l.cfg.Window.Std(), min(l.cfg.Failures, maxRemembered))
	})
}

// report implements Report. The event does not count if spared returns true.
func (l *List) report(who Subject, e Event, spared func(en *entry, now time.Time) bool) (Ban, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.exempt(who) {
		return Ban{}, false
	}
	now := l.now()
	en := l.entry(who, now)
	if now.Before(en.until) {
		return Ban{}, false // banned already: the event was under way when the ban began
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
	l.banned.Remove(en.place) // Remove does nothing on the list that the element is not in
	en.place = l.banned.PushBack(en)
	return en.ban(), true
}

// duration returns the length of the ban that the entry gets now.
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

// forgotten reports whether the last ban ended so long ago (bans.maxDuration) that the next one is a first ban.
func (l *List) forgotten(en *entry, now time.Time) bool {
	return !en.until.IsZero() && now.After(en.until.Add(l.cfg.MaxDuration.Std()))
}

// exempt reports whether no event counts against the subject.
func (l *List) exempt(who Subject) bool {
	if !l.cfg.On() || who == (Subject{}) || l.cfg.Failures == 0 {
		return true
	}
	return who.network.IsValid() && (overlaps(l.cfg.Allow, who.network) || overlaps(l.trusted, who.network))
}

// overlaps reports whether one of the networks contains the subject's network or a part of it: a single allowed
// address exempts its whole IPv6 /64.
func overlaps(networks []config.Network, subject netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(n config.Network) bool { return n.Overlaps(subject) })
}

// entry returns the entry of a subject, and makes one if there is none. To make room it forgets the subject that has
// been without an event for the longest time or, if all subjects are banned, the one that was banned first.
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

// makeRoom forgets one entry. A ban that counts no more (see forgotten) goes first.
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
	// turnEvery is the time between two logins of a banned user name.
	turnEvery = 10 * time.Second
	// longestTurn is the longest time that a login may wait for its turn. Clients wait longer for a reply.
	longestTurn = 20 * time.Second
)

// Delay returns how long a login as the subject, a user name, has to wait: zero, unless the name is banned. While it
// is, one login is let through every ten seconds. ok is false, and the login gets no turn, if it would have to wait
// for more than twenty seconds behind others.
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

// Threshold returns the sum of weights (see Weight) at which a ban begins, or 0 while bans are off.
func (l *List) Threshold() uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.cfg.On() {
		return 0
	}
	return uint32(l.cfg.Failures) * failure //nolint:gosec // validated: at most 1000
}

// Weight returns how much an event counts.
func Weight(e Event) uint32 { return weights[e] }

// Bans returns the bans in force, the one that ends first in the first place.
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

// Active returns the number of bans in force.
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

// Unban ends a ban and forgets the events that led to it. It reports whether the subject was banned.
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
