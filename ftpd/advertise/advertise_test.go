package advertise

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dns is a name server whose answers a test sets; the key is "network host". A missing answer stands for "not found",
// an empty one for a failure, and "hang" hangs until the context ends.
type dns struct {
	mu      sync.Mutex
	answers map[string]string
	asked   []time.Time // when ip4 was looked up
}

func (d *dns) set(answers map[string]string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answers = maps.Clone(answers)
}

func (d *dns) askedAfter(start time.Time) []time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	var after []time.Duration
	for _, at := range d.asked {
		after = append(after, at.Sub(start))
	}
	return after
}

func (d *dns) lookup(ctx context.Context, network, host string) ([]netip.Addr, error) {
	d.mu.Lock()
	if network == "ip4" {
		d.asked = append(d.asked, time.Now())
	}
	answer, found := d.answers[network+" "+host]
	d.mu.Unlock()
	switch {
	case !found:
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	case answer == "":
		return nil, &net.DNSError{Err: "server misbehaving", Name: host, IsTemporary: true}
	case answer == "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	var ips []netip.Addr
	for _, text := range strings.Fields(answer) {
		ips = append(ips, netip.MustParseAddr(text))
	}
	return ips, nil
}

// run starts a Resolver in a synctest bubble, which has a clock of its own.
func run(t *testing.T) (*Resolver, *dns) {
	t.Helper()
	d := &dns{}
	r := newResolver(slog.New(slog.DiscardHandler), d.lookup)
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { r.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		done.Wait()
	})
	return r, d
}

func pass(d time.Duration) {
	<-time.After(d) // time of the synctest bubble
	synctest.Wait()
}

// want checks the addresses of both families ("" for none) and whether there is an error.
func want(t *testing.T, when string, r *Resolver, v4, v6 string, failing bool) {
	t.Helper()
	for _, family := range []struct {
		got  netip.Addr
		want string
	}{{r.Addr(true), v4}, {r.Addr(false), v6}} {
		if family.got.IsValid() != (family.want != "") || family.want != "" && family.got.String() != family.want {
			t.Errorf("%s: %v, want %q", when, family.got, family.want)
		}
	}
	if err := r.Err(); (err != nil) != failing {
		t.Errorf("%s: error %v, want one: %v", when, err, failing)
	}
}

func TestIPAddressIsInForceAtOnce(t *testing.T) {
	r := New(slog.New(slog.DiscardHandler)) // Run was not called
	want(t, "at first", r, "", "", false)
	r.Set("203.0.113.10")
	want(t, "IPv4", r, "203.0.113.10", "", false)
	r.Set("::ffff:203.0.113.11")
	want(t, "IPv4 in IPv6", r, "203.0.113.11", "", false)
	r.Set("2001:db8::1")
	want(t, "IPv6", r, "", "2001:db8::1", false)
	r.Set("")
	want(t, "none", r, "", "", false)
}

func TestHostName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d := run(t)
		d.set(map[string]string{"ip4 lb": "203.0.113.20 203.0.113.10", "ip6 lb": "2001:db8::2 2001:db8::1"})
		r.Set("lb")
		synctest.Wait()
		want(t, "the lowest at once", r, "203.0.113.10", "2001:db8::1", false)

		d.set(map[string]string{"ip4 lb": "203.0.113.5 203.0.113.10", "ip6 lb": "2001:db8::2"})
		pass(refresh)
		want(t, "the one in use stays", r, "203.0.113.10", "2001:db8::2", false)

		d.set(map[string]string{"ip4 lb": "203.0.113.5 203.0.113.7"})
		pass(refresh)
		want(t, "it is gone, and all of IPv6", r, "203.0.113.5", "", false)

		d.set(map[string]string{"ip4 lb": "", "ip6 lb": "2001:db8::3"})
		pass(refresh)
		want(t, "a family that fails keeps its address", r, "203.0.113.5", "2001:db8::3", true)

		d.set(nil)
		pass(refresh)
		want(t, "not found any more", r, "203.0.113.5", "2001:db8::3", true)

		d.set(map[string]string{"ip4 lb": "0.0.0.0 224.0.0.1 ::ffff:203.0.113.9", "ip6 lb": "::"})
		pass(refresh)
		want(t, "addresses of no use are left out", r, "203.0.113.9", "", false)
	})
}

func TestChangeOfTheSetting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d := run(t)
		r.Set("203.0.113.1")
		d.set(map[string]string{"ip4 b": "203.0.113.2", "ip4 c": "203.0.113.3", "ip6 c": "2001:db8::c", "ip4 slow": "hang", "ip4 d": "203.0.113.4", "ip6 d": ""})
		r.Set("unknown")
		pass(time.Minute)
		want(t, "a name that can't be resolved yet", r, "203.0.113.1", "", true)
		if !strings.Contains(r.Err().Error(), "resolve unknown") {
			t.Errorf("error: %v", r.Err())
		}
		r.Set("b")
		synctest.Wait()
		want(t, "another name, without waiting for the retry", r, "203.0.113.2", "", false)
		r.Set("c")
		synctest.Wait()
		want(t, "another name", r, "203.0.113.3", "2001:db8::c", false)
		r.Set("d")
		synctest.Wait()
		want(t, "nothing of the old name stays beside the new one", r, "203.0.113.4", "", true)
		r.Set("slow")
		synctest.Wait()
		r.Set("c")
		synctest.Wait()
		want(t, "a lookup that hangs holds up nothing", r, "203.0.113.3", "2001:db8::c", false)
		r.Set("slow")
		synctest.Wait()
		r.Set("203.0.113.9")
		want(t, "an IP address at once", r, "203.0.113.9", "", false)
		pass(time.Hour)
		want(t, "and it stays", r, "203.0.113.9", "", false)
		r.Set("")
		want(t, "none", r, "", "", false)
	})
}

func TestWhenItAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d := run(t)
		start := time.Now()
		pass(time.Hour) // there is nothing to look up
		r.Set("lb")
		pass(2 * time.Minute)
		d.set(map[string]string{"ip4 lb": "203.0.113.1"})
		pass(2 * time.Minute)
		var got []time.Duration
		for _, after := range d.askedAfter(start) {
			got = append(got, after-time.Hour)
		}
		const s = time.Second
		if expected := []time.Duration{0, 1 * s, 3 * s, 7 * s, 15 * s, 31 * s, 61 * s, 91 * s, 121 * s, 151 * s, 181 * s, 211 * s}; !slices.Equal(got, expected) {
			t.Errorf("asked after %v, want %v", got, expected)
		}
		r.Set("lb") // this changes nothing
		pass(0)
		if n := len(d.askedAfter(start)); n != 12 {
			t.Errorf("asked %d times after the same was set again, want 12", n)
		}
	})
}

func TestHangingLookupTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d := run(t)
		d.set(map[string]string{"ip4 lb": "hang", "ip6 lb": "2001:db8::1"})
		r.Set("lb")
		pass(lookupTimeout - time.Second)
		want(t, "while it hangs", r, "", "", false)
		pass(2 * time.Second)
		want(t, "one family hung", r, "", "2001:db8::1", true)
		if !errors.Is(r.Err(), context.DeadlineExceeded) {
			t.Errorf("error: %v", r.Err())
		}
	})
}

// choose returns one of the addresses found, keeps the one in use if it can, and does not depend on their order.
func TestChoose(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ip := rapid.Custom(func(t *rapid.T) netip.Addr {
			return netip.AddrFrom4([4]byte{203, 0, 113, rapid.Byte().Draw(t, "last")})
		})
		found := rapid.SliceOfN(ip, 1, 8).Draw(t, "found")
		now := ip.Draw(t, "now")
		got := choose("ip4", now, found)
		if slices.Contains(found, now) != (got == now) || !slices.Contains(found, got) {
			t.Fatalf("of %v with %v in use it chose %v", found, now, got)
		}
		if again := choose("ip4", now, rapid.Permutation(found).Draw(t, "order")); again != got {
			t.Fatalf("in another order it chose %v, not %v", again, got)
		}
		if again := choose("ip4", got, found); again != got {
			t.Fatalf("the next time it chose %v, not %v", again, got)
		}
	})
}

// Go's resolver resolves a name that needs no network.
func TestRealLookup(t *testing.T) {
	r := New(slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { r.Run(ctx) })
	defer done.Wait()
	defer cancel()
	r.Set("localhost")
	for deadline := time.Now().Add(time.Minute); !r.Addr(true).IsLoopback(); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("localhost was not resolved: %v", r.Err())
		}
	}
}

func BenchmarkAddr(b *testing.B) {
	r := New(slog.New(slog.DiscardHandler))
	r.Set("203.0.113.10")
	b.ReportAllocs()
	for b.Loop() {
		if !r.Addr(true).IsValid() {
			b.Fatal("no address")
		}
	}
}
