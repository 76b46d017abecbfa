package limits

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var addr = netip.MustParseAddr

func bounds(sessions, user, address, preLogin int) *config.Limits {
	return &config.Limits{MaxSessions: sessions, MaxSessionsPerUser: user, MaxSessionsPerAddress: address, MaxPreLogin: preLogin}
}

// client is a session, and whether it was evicted.
type client struct {
	*Lease
	evicted bool
}

func connect(t *testing.T, c *Counter, from string, l *config.Limits) *client {
	t.Helper()
	x := new(client)
	var err error
	if x.Lease, err = c.Connect(addr(from), false, l, func() { x.evicted = true }); err != nil {
		t.Fatalf("%s: %v", from, err)
	}
	return x
}

func refused(t *testing.T, c *Counter, from string, l *config.Limits, want error) {
	t.Helper()
	if lease, err := c.Connect(addr(from), false, l, nil); !errors.Is(err, want) || lease != nil {
		t.Errorf("%s: got %v, %v, want %v", from, lease, err, want)
	}
}

func TestSessions(t *testing.T) {
	var c Counter
	l := bounds(3, 0, 2, 10)
	login := func(x *client) *client {
		t.Helper()
		if err := x.Login("alice", l); err != nil {
			t.Fatal(err)
		}
		return x
	}
	a := login(connect(t, &c, "192.0.2.1", l))
	login(connect(t, &c, "::ffff:192.0.2.1", l))
	refused(t, &c, "192.0.2.1", l, ErrAddressFull)
	login(connect(t, &c, "192.0.2.2", l))
	refused(t, &c, "192.0.2.3", l, ErrServerFull)
	a.Release()
	a.Release()
	login(connect(t, &c, "192.0.2.1", l))
	if got := c.Counts(); got != (Counts{Sessions: 3}) {
		t.Errorf("%+v", got)
	}
	refused(t, &c, "192.0.2.4", l, ErrServerFull)
	connect(t, &c, "192.0.2.4", bounds(0, 0, 0, 10))
	if _, err := c.Connect(addr("192.0.2.1"), true, bounds(0, 0, 1, 10), nil); err != nil {
		t.Errorf("a hidden address was bounded: %v", err)
	}
}

// Sessions without a login don't keep out clients that log in, even when the whole server is full. While a session
// that had to give way is still saying goodbye, another one may take its place.
func TestFullOfSilentSessions(t *testing.T) {
	var c Counter
	l := bounds(3, 0, 0, 10)
	var flood []*client
	for range 3 {
		flood = append(flood, connect(t, &c, "198.51.100.1", l))
	}
	for i := range 3 {
		x := connect(t, &c, fmt.Sprint("192.0.2.", i), l)
		if err := x.Login("alice", l); err != nil || !flood[i].evicted {
			t.Fatalf("%v, nobody had to go for number %d: %v", err, i, !flood[i].evicted)
		}
	}
	refused(t, &c, "192.0.2.9", l, ErrServerFull)
	for _, x := range flood {
		x.Release()
	}
	refused(t, &c, "192.0.2.9", l, ErrServerFull)
	if c.leaving != 0 || c.Counts() != (Counts{Sessions: 3}) {
		t.Errorf("%d leave, %+v", c.leaving, c.Counts())
	}
}

func TestIPv6Networks(t *testing.T) {
	var c Counter
	l := bounds(0, 0, 1, 10)
	connect(t, &c, "2001:db8::1", l)
	refused(t, &c, "2001:db8::ffff:2", l, ErrAddressFull)
	connect(t, &c, "2001:db8:0:1::1", l)
}

func TestUsers(t *testing.T) {
	var c Counter
	l := bounds(0, 1, 0, 10)
	a, b := connect(t, &c, "192.0.2.1", l), connect(t, &c, "192.0.2.1", l)
	if err := a.Login("alice", l); err != nil {
		t.Fatal(err)
	}
	if err := b.Login("alice", l); !errors.Is(err, ErrUserFull) {
		t.Errorf("got %v", err)
	}
	if err := b.Login("bob", l); err != nil {
		t.Error(err)
	}
	a.Logout()
	if err := b.Login("alice", l); err != nil { // bob has one session less by this
		t.Error(err)
	}
	if err := a.Login("bob", l); err != nil {
		t.Error(err)
	}
	a.Release()
	a.Logout()
	if err := a.Login("carol", l); err != nil {
		t.Error(err)
	}
	if got := c.Counts(); got != (Counts{Sessions: 1}) || len(c.users) != 1 {
		t.Errorf("%+v, users %v", got, c.users)
	}
}

// The oldest session of the address with the most sessions without a login gives way first.
func TestPreLogin(t *testing.T) {
	var c Counter
	l := bounds(0, 0, 0, 4)
	victim := connect(t, &c, "192.0.2.1", l)
	var flood []*client
	for range 10 {
		flood = append(flood, connect(t, &c, "198.51.100.1", l))
	}
	if victim.evicted {
		t.Error("a crowd from elsewhere drove out a client of another address")
	}
	for i, x := range flood {
		if want := i < 7; x.evicted != want {
			t.Errorf("session %d of the crowd is out: %v", i, x.evicted)
		}
	}
	if err := victim.Login("alice", l); err != nil {
		t.Fatal(err)
	}
	connect(t, &c, "192.0.2.2", l)
	if got := c.Counts(); got.PreLogin != 4 {
		t.Errorf("%+v", got)
	}
	victim.Logout() // one too many
	connect(t, &c, "192.0.2.3", l)
	if got := c.Counts(); got.PreLogin != 4 || !flood[7].evicted || !flood[8].evicted {
		t.Errorf("%+v", got)
	}
	connect(t, &c, "192.0.2.4", bounds(0, 0, 0, 1)) // after a reload
	if got := c.Counts(); got.PreLogin != 1 {
		t.Errorf("%+v", got)
	}
}

func TestBusyIsSpared(t *testing.T) {
	var c Counter
	l := bounds(0, 0, 0, 2)
	a, b := connect(t, &c, "192.0.2.1", l), connect(t, &c, "192.0.2.1", l)
	a.Authenticating(true)
	d := connect(t, &c, "192.0.2.1", l)
	if a.evicted || !b.evicted {
		t.Error("the one that waits for its password's check had to go")
	}
	d.Authenticating(true)
	refused(t, &c, "192.0.2.1", l, ErrPreLoginFull)
	a.Authenticating(false)
	connect(t, &c, "192.0.2.2", l)
	if !a.evicted {
		t.Error("nobody gave way")
	}
}

// A crowd whose passwords are all being checked does not lock out other addresses, and it evicts no session of an
// address that has no more sessions than the newcomer's would have.
func TestBusyCrowd(t *testing.T) {
	var c Counter
	l := bounds(0, 0, 0, 4)
	var crowd []*client
	for range 4 {
		x := connect(t, &c, "198.51.100.1", l)
		x.Authenticating(true)
		crowd = append(crowd, x)
	}
	first := connect(t, &c, "192.0.2.1", l)
	first.Authenticating(true)
	if !crowd[3].evicted || crowd[0].evicted {
		t.Error("the newest of the crowd was to go")
	}
	second := connect(t, &c, "192.0.2.2", l)
	second.Authenticating(true)
	refused(t, &c, "192.0.2.1", l, ErrPreLoginFull) // two each would be no better
	if first.evicted || second.evicted || crowd[0].evicted || !crowd[2].evicted {
		t.Error("it is the crowd that gives way")
	}
}

// The counts always agree with a simple model, and are zero in the end.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c Counter
		l := bounds(rapid.IntRange(0, 6).Draw(t, "sessions"), rapid.IntRange(0, 2).Draw(t, "user"), rapid.IntRange(0, 3).Draw(t, "address"), rapid.IntRange(1, 4).Draw(t, "before login"))
		type session struct {
			lease         *Lease
			from, user    string
			evicted, busy bool
		}
		var open []*session
		count := func(is func(*session) bool) (n int) {
			for _, s := range open {
				if is(s) {
					n++
				}
			}
			return n
		}
		froms := []string{"192.0.2.1", "192.0.2.2", "2001:db8::1"}
		t.Repeat(map[string]func(*rapid.T){
			"connect": func(t *rapid.T) {
				s := &session{from: rapid.SampledFrom(froms).Draw(t, "from")}
				address := l.MaxSessionsPerAddress > 0 && count(func(o *session) bool { return o.from == s.from }) >= l.MaxSessionsPerAddress
				waits := func(o *session) bool { return o.user == "" && !o.evicted }
				waiting := count(waits)
				idle := count(func(o *session) bool { return waits(o) && !o.busy })
				staying := count(func(o *session) bool { return !o.evicted })
				// wanted sessions have to give way. All idle ones can, and so can busy ones of a crowded address.
				wanted := max(waiting-l.MaxPreLogin+1, 0)
				if l.MaxSessions > 0 {
					wanted = max(wanted, staying-l.MaxSessions+1)
				}
				var err error
				s.lease, err = c.Connect(addr(s.from), false, l, func() { s.evicted = true })
				out := staying - count(func(o *session) bool { return !o.evicted })
				switch {
				case address && (err == nil || out > 0):
					t.Fatalf("the address is full, but %v, and %d had to go", err, out)
				case address:
				case err == nil && out != wanted, err != nil && (out >= wanted || out < idle):
					t.Fatalf("%d of %d that wait had to go (%d idle), want %d: %v", out, waiting, idle, wanted, err)
				}
				if err == nil {
					open = append(open, s)
				}
			},
			"login": func(t *rapid.T) {
				if len(open) == 0 {
					return
				}
				s, user := rapid.SampledFrom(open).Draw(t, "session"), rapid.SampledFrom([]string{"a", "b"}).Draw(t, "user")
				full := l.MaxSessionsPerUser > 0 && count(func(o *session) bool { return o.user == user }) >= l.MaxSessionsPerUser
				if err := s.lease.Login(user, l); (err != nil) != full {
					t.Fatalf("full: %v, but %v", full, err)
				} else if err == nil {
					s.user, s.evicted = user, false
				}
			},
			"logout": func(t *rapid.T) {
				if len(open) > 0 {
					s := rapid.SampledFrom(open).Draw(t, "session")
					s.lease.Logout()
					s.user = ""
				}
			},
			"busy": func(t *rapid.T) {
				if len(open) > 0 {
					s := rapid.SampledFrom(open).Draw(t, "session")
					s.busy = rapid.Bool().Draw(t, "busy")
					s.lease.Authenticating(s.busy)
				}
			},
			"release": func(t *rapid.T) {
				if len(open) > 0 {
					i := rapid.IntRange(0, len(open)-1).Draw(t, "session")
					open[i].lease.Release()
					open = append(open[:i], open[i+1:]...)
				}
			},
			"": func(t *rapid.T) {
				want := Counts{len(open), count(func(o *session) bool { return o.user == "" && !o.evicted }), count(func(o *session) bool { return o.evicted })}
				if got := c.Counts(); got != want {
					t.Fatalf("got %+v, want %+v", got, want)
				}
			},
		})
		for _, s := range open {
			s.lease.Release()
		}
		if got := c.Counts(); got != (Counts{}) || len(c.networks) != 0 || len(c.users) != 0 {
			t.Fatalf("left: %+v, %v, %v", got, c.networks, c.users)
		}
	})
}

// Concurrent calls lose no session and count none twice.
func TestConcurrent(t *testing.T) {
	var c Counter
	l := bounds(50, 10, 20, 10)
	var all sync.WaitGroup
	var evicted atomic.Int64
	for i := range 50 {
		all.Go(func() {
			for j := range 50 {
				lease, err := c.Connect(addr(fmt.Sprintf("192.0.2.%d", i%7)), false, l, func() { evicted.Add(1) })
				if err != nil {
					continue
				}
				lease.Authenticating(j%2 == 0)
				if lease.Login(fmt.Sprint("user", j%3), l) == nil && j%5 == 0 {
					lease.Logout()
				}
				go lease.Release()
				lease.Release()
			}
		})
	}
	all.Wait()
	if got := c.Counts(); got != (Counts{}) {
		t.Errorf("left: %+v", got)
	}
}
