package bans

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that advances only when the test lets it.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func (c *clock) pass(d time.Duration) { c.t = c.t.Add(d) }

func newClock() *clock { return &clock{time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)} }

func rules(failures int) config.Bans {
	return config.Bans{
		Failures: failures, Window: config.Duration(10 * time.Minute),
		Duration: config.Duration(time.Minute), MaxDuration: config.Duration(time.Hour),
	}
}

func start(failures int) (*List, *clock) {
	c := newClock()
	l := New(c.now)
	l.Set(rules(failures), nil)
	return l, c
}

var addr = netip.MustParseAddr

func TestBan(t *testing.T) {
	l, c := start(3)
	who := Address(addr("192.0.2.1"))
	for range 2 {
		if ban, begun := l.Report(who, FailedLogin); begun {
			t.Fatalf("banned too early: %+v", ban)
		}
	}
	if _, banned := l.Banned(who); banned {
		t.Fatal("banned too early")
	}
	ban, begun := l.Report(who, FailedLogin)
	if want := (Ban{who, FailedLogin, 1, c.t.Add(time.Minute)}); !begun || ban != want {
		t.Fatalf("got %+v, %v, want %+v", ban, begun, want)
	}
	if _, begun := l.Report(who, FailedLogin); begun {
		t.Error("banned while banned")
	}
	if until, banned := l.Banned(who); !banned || until != ban.Until {
		t.Errorf("Banned says %v, %v", until, banned)
	}
	if _, banned := l.Banned(Address(addr("192.0.2.2"))); banned {
		t.Error("the neighbour is banned too")
	}
	c.pass(time.Minute)
	if _, banned := l.Banned(who); banned {
		t.Error("still banned when it is over")
	}
}

// The same wrong password counts once, and again if it was not tried for a window.
func TestRepeatedLogin(t *testing.T) {
	type try struct {
		user, password string
		after          time.Duration
		banned         bool
	}
	for name, tries := range map[string][]try{
		"a device": {
			{"scan", "old", 0, false}, {"scan", "old", time.Second, false}, {"scan", "old", minutes(9), false},
			{"scan", "old", minutes(9), false}, {"scan", "old", minutes(9), false},
		},
		"two devices": {
			{"scan", "old", 0, false}, {"fax", "old", 0, false}, {"scan", "old", 0, false}, {"fax", "old", 0, false},
		},
		"a device and somebody who errs": {
			{"scan", "old", 0, false}, {"alice", "caps", 0, false}, {"scan", "old", 0, false}, {"alice", "other", 0, true},
		},
		"passwords of one user":     {{"alice", "1", 0, false}, {"alice", "2", 0, false}, {"alice", "3", 0, true}},
		"users of one password":     {{"a", "1", 0, false}, {"b", "1", 0, false}, {"c", "1", 0, true}},
		"the border between them":   {{"a", "bc", 0, false}, {"ab", "c", 0, false}, {"abc", "", 0, true}},
		"slowly":                    {{"a", "1", 0, false}, {"a", "2", minutes(6), false}, {"a", "3", minutes(6), false}, {"a", "4", minutes(6), false}},
		"again after a window":      {{"a", "1", 0, false}, {"a", "1", minutes(10), false}, {"a", "2", 0, false}, {"a", "3", 0, true}},
		"known before a ban, after": {{"a", "1", 0, false}, {"a", "2", 0, false}, {"a", "3", 0, true}, {"a", "1", minutes(1), false}, {"a", "4", 0, false}, {"a", "5", 0, false}, {"a", "6", 0, true}},
	} {
		for _, who := range []Subject{Address(addr("192.0.2.1")), User("alice")} {
			l, c := start(3)
			for i, x := range tries {
				c.pass(x.after)
				if _, begun := l.ReportLogin(who, x.user, x.password); begun != x.banned {
					t.Errorf("%s of %s: a ban after try %d: %v", name, who, i+1, begun)
				}
			}
		}
	}
	l, _ := start(2) // counted for each client separately
	for _, who := range []Subject{Address(addr("192.0.2.1")), Address(addr("192.0.2.2"))} {
		l.ReportLogin(who, "scan", "old")
		if _, begun := l.ReportLogin(who, "scan", "new"); !begun {
			t.Errorf("%s was spared for what somebody else tried", who)
		}
	}
}

// A ban only begins after that many different failed logins in the window, and always after that many new ones within
// seven eighths of it. The memory of failed logins is bounded and contains no password.
func TestDistinctLogins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		failures := rapid.IntRange(1, 5).Draw(t, "failures")
		l, c := start(failures)
		who := Address(addr("192.0.2.1"))
		window := rules(failures).Window.Std()
		first, last := map[string]time.Time{}, map[string]time.Time{}
		within := func(times map[string]time.Time, span time.Duration) (n int) {
			for _, at := range times {
				if c.t.Sub(at) < span {
					n++
				}
			}
			return n
		}
		for range rapid.IntRange(1, 80).Draw(t, "logins") {
			c.pass(time.Duration(rapid.Int64Range(0, int64(window)/2).Draw(t, "pause")))
			password := rapid.StringMatching("[a-h]").Draw(t, "password")
			if _, known := first[password]; !known {
				first[password] = c.t
			}
			last[password] = c.t
			_, begun := l.ReportLogin(who, "alice", password)
			if begun && within(last, window) < failures {
				t.Fatalf("banned with %d of %d", within(last, window), failures)
			}
			if !begun && within(first, window*7/8) >= failures {
				t.Fatalf("not banned with %d of %d", within(first, window*7/8), failures)
			}
			if n := len(l.known[who].failed); n > failures {
				t.Fatalf("%d are remembered", n)
			}
			if begun {
				return
			}
		}
	})
	l, c := start(1000)
	who := User("alice")
	for i := range 3 * maxRemembered {
		l.ReportLogin(who, "alice", fmt.Sprint(i))
		c.pass(time.Millisecond)
	}
	if n := len(l.known[who].failed); n != maxRemembered {
		t.Errorf("%d are remembered, want %d", n, maxRemembered)
	}
}

// While a user name is banned, its logins get a turn every ten seconds, and at most three wait.
func TestTurn(t *testing.T) {
	l, c := start(1)
	alice := User("alice")
	turn := func(who Subject, wantWait time.Duration, wantOK bool) {
		t.Helper()
		if wait, ok := l.Delay(who); wait != wantWait || ok != wantOK {
			t.Errorf("%s: %v, %v, want %v, %v", who, wait, ok, wantWait, wantOK)
		}
	}
	for range 10 {
		turn(alice, 0, true)
	}
	l.Report(alice, FailedLogin)
	l.Report(Address(addr("192.0.2.1")), FailedLogin)
	turn(alice, 0, true)
	turn(alice, turnEvery, true)
	turn(alice, 2*turnEvery, true)
	turn(alice, 0, false)
	turn(User("bob"), 0, true)
	turn(Address(addr("192.0.2.1")), 0, true) // a banned address is refused elsewhere
	c.pass(time.Second)
	turn(alice, 0, false)
	c.pass(turnEvery - time.Second)
	turn(alice, 2*turnEvery, true)
	turn(alice, 0, false)
	c.pass(minutes(1)) // the ban has ended
	for range 10 {
		turn(alice, 0, true)
	}
	l.Report(alice, FailedLogin)
	turn(alice, 0, true)
	l.Unban(alice)
	turn(alice, 0, true)
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

// Each ban is twice as long as the one before, up to the longest, unless the subject had no ban for as long as the
// longest.
func TestEscalation(t *testing.T) {
	for _, x := range []struct {
		who   Subject
		rules config.Bans
		want  []int // minutes
	}{
		{Address(addr("192.0.2.1")), rules(1), []int{1, 2, 4, 8, 16, 32, 60, 60}},
		{User("alice"), rules(1), []int{1, 2, 4, 8, 16, 32, 60, 60}},
		{
			Address(addr("192.0.2.1")), config.Bans{Failures: 1, Window: config.Duration(time.Minute), Duration: config.Duration(30 * time.Minute), MaxDuration: config.Duration(4 * time.Hour)},
			[]int{30, 60, 120, 240, 240},
		},
		{
			User("alice"), config.Bans{Failures: 1, Window: config.Duration(time.Minute), Duration: config.Duration(30 * time.Minute), MaxDuration: config.Duration(4 * time.Hour)},
			[]int{30, 60, 60, 60},
		},
	} {
		l, c := start(1)
		l.Set(x.rules, nil)
		for i, n := range x.want {
			want := minutes(n)
			ban, begun := l.Report(x.who, FailedLogin)
			if got := ban.Until.Sub(c.t); !begun || got != want || ban.Count != i+1 {
				t.Errorf("ban %d of %s: %v, count %d, want %v", i+1, x.who, got, ban.Count, want)
			}
			c.t = ban.Until
		}
		c.pass(x.rules.MaxDuration.Std() + 1)
		if ban, _ := l.Report(x.who, FailedLogin); ban.Until.Sub(c.t) != minutes(x.want[0]) || ban.Count != 1 {
			t.Errorf("after a long time: %+v", ban)
		}
	}
}

func TestSubjects(t *testing.T) {
	for _, c := range []struct {
		a, b Subject
		same bool
	}{
		{Address(addr("192.0.2.1")), Address(addr("::ffff:192.0.2.1")), true},
		{Address(addr("192.0.2.1")), Address(addr("192.0.2.2")), false},
		{Address(addr("2001:db8::1")), Address(addr("2001:db8::ffff:1")), true},
		{Address(addr("2001:db8::1")), Address(addr("2001:db8:0:1::1")), false},
		{Address(addr("fe80::1%eth0")), Address(addr("fe80::2")), true},
		{Address(netip.Addr{}), Subject{}, true},
		{User("alice"), User("Alice"), false},
		{User(""), Subject{}, true},
		{User(fmt.Sprintf("%070d", 1)), User(fmt.Sprintf("%070d", 2)), true},
	} {
		if got := c.a == c.b; got != c.same {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
	for want, s := range map[string]Subject{"192.0.2.1/32": Address(addr("192.0.2.1")), "2001:db8::/64": Address(addr("2001:db8::9")), "alice": User("alice"), "": {}} {
		if s.String() != want {
			t.Errorf("got %s, want %s", s, want)
		}
	}
}

func TestExempt(t *testing.T) {
	off := false
	networks := config.Networks(netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::5/128"))
	v4, v6, user := Address(addr("192.0.2.1")), Address(addr("2001:db8::1")), User("alice")
	for name, set := range map[string]func(l *List, r config.Bans){
		"allowed": func(l *List, r config.Bans) { r.Allow = networks; l.Set(r, nil) },
		"trusted": func(l *List, r config.Bans) { l.Set(r, networks) },
		"off":     func(l *List, r config.Bans) { r.Enabled = &off; l.Set(r, nil) },
	} {
		l, _ := start(1)
		for _, who := range []Subject{v4, v6, user} {
			l.Report(who, FailedLogin)
		}
		set(l, rules(1)) // lifts the current bans
		for _, who := range []Subject{v4, v6, user, {}} {
			spared := name == "off" || who != user
			if _, banned := l.Banned(who); banned == spared {
				t.Errorf("%s: %s banned: %v", name, who, banned)
			}
			if _, begun := l.Report(who, FailedLogin); begun {
				t.Errorf("%s: %s was banned again", name, who)
			}
		}
		if name == "off" && (len(l.Bans()) != 0 || l.Threshold() != 0) {
			t.Errorf("off: %v, threshold %d", l.Bans(), l.Threshold())
		}
		l.Set(rules(1), nil)
		if n := len(l.Bans()); n != 3 {
			t.Errorf("%s: %d bans are back, want 3", name, n)
		}
	}
}

func TestListAndUnban(t *testing.T) {
	l, c := start(1)
	a, b := Address(addr("192.0.2.1")), User("bob")
	l.Report(a, Bounce)
	l.Report(a, Bounce)
	c.pass(time.Second)
	l.Report(b, FailedLogin)
	bans := l.Bans()
	if len(bans) != 2 || bans[0].Subject != a || bans[0].Reason != Bounce || bans[1].Subject != b {
		t.Fatalf("%+v", bans)
	}
	if !l.Unban(a) || l.Unban(a) || l.Unban(User("nobody")) {
		t.Error("Unban is wrong")
	}
	if _, banned := l.Banned(a); banned {
		t.Error("banned after Unban")
	}
	c.pass(time.Hour)
	if bans := l.Bans(); len(bans) != 0 {
		t.Errorf("bans that are over: %+v", bans)
	}
	if l.Unban(b) {
		t.Error("a ban that was over was lifted")
	}
	if l.bans.Load() != 0 || len(l.known) != 0 {
		t.Errorf("%d bans, %d known are left", l.bans.Load(), len(l.known))
	}
}

// The memory is bounded however many addresses an attacker has, and a subject stays banned as long as there are
// others to forget.
func TestBounded(t *testing.T) {
	l, c := start(2)
	l.capacity = 100
	bad := Address(addr("192.0.2.1"))
	l.Report(bad, FailedLogin)
	l.Report(bad, FailedLogin)
	for i := range 1000 {
		l.Report(Address(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})), FailedLogin) //nolint:gosec // wanted
		if len(l.known) > 100 || l.quiet.Len()+l.banned.Len() != len(l.known) {
			t.Fatalf("%d known, %d quiet, %d banned", len(l.known), l.quiet.Len(), l.banned.Len())
		}
	}
	if _, banned := l.Banned(bad); !banned {
		t.Error("the ban was forgotten")
	}
	for i := range 1000 { // now all known subjects are banned
		who := Address(netip.AddrFrom4([4]byte{11, 0, byte(i >> 8), byte(i)})) //nolint:gosec // wanted
		l.Report(who, FailedLogin)
		l.Report(who, FailedLogin)
		if _, banned := l.Banned(who); !banned {
			t.Fatalf("%s is not banned", who)
		}
	}
	if len(l.known) != 100 || l.bans.Load() != int64(l.banned.Len()) {
		t.Errorf("%d known, %d bans, %d banned", len(l.known), l.bans.Load(), l.banned.Len())
	}
	c.pass(3 * time.Hour)
	l.Report(bad, FailedLogin)
	if len(l.known) != 100 || l.quiet.Len() != 1 {
		t.Errorf("%d known, %d quiet: an old ban was not forgotten first", len(l.known), l.quiet.Len())
	}
}

// A subject that stays below the number of events in every window is never banned; a subject that reaches it within
// seven eighths of a window always is.
func TestWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		failures := rapid.IntRange(1, 5).Draw(t, "failures")
		l, c := start(failures)
		who := Address(addr("192.0.2.1"))
		window := rules(failures).Window.Std()
		type event struct {
			at     time.Time
			weight uint32
		}
		var past []event
		sum := func(window time.Duration) (n uint32) {
			for _, e := range past {
				if c.t.Sub(e.at) < window {
					n += e.weight
				}
			}
			return n
		}
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			c.pass(time.Duration(rapid.Int64Range(0, int64(window)/2).Draw(t, "pause")))
			e := rapid.SampledFrom([]Event{FailedLogin, Bounce, NoLogin, UnknownCommand}).Draw(t, "event")
			past = append(past, event{c.t, Weight(e)})
			_, begun := l.Report(who, e)
			if !begun && sum(window*7/8) >= l.Threshold() {
				t.Fatalf("not banned with %d of %d", sum(window*7/8), l.Threshold())
			}
			if begun && sum(window) < l.Threshold() {
				t.Fatalf("banned with %d of %d", sum(window), l.Threshold())
			}
			if begun {
				return
			}
		}
	})
}

// Changing the window while events are counted never increases a count.
func TestWindowChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, c := start(3)
		who := User("alice")
		var weight uint32
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			r := rules(3)
			r.Window = config.Duration(rapid.Int64Range(int64(10*time.Second), int64(24*time.Hour)).Draw(t, "window"))
			l.Set(r, nil)
			c.pass(time.Duration(rapid.Int64Range(-int64(time.Hour), int64(time.Hour)).Draw(t, "pause")))
			weight += Weight(Bounce)
			if _, begun := l.Report(who, Bounce); begun {
				if weight < l.Threshold() {
					t.Fatalf("banned with %d", weight)
				}
				return
			}
		}
	})
}

func BenchmarkBanned(b *testing.B) {
	l, _ := start(1)
	l.Report(Address(addr("192.0.2.1")), FailedLogin)
	who := Address(addr("192.0.2.2"))
	b.ReportAllocs()
	for b.Loop() {
		l.Banned(who)
	}
}
