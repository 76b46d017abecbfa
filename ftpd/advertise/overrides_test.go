package advertise

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
)

// Overrides resolves the names that it is given, forgets all others, and leaves no goroutine running.
func TestBook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		asked := map[string]int{}
		b := newOverrides(slog.New(slog.DiscardHandler), func(_ context.Context, network, host string) ([]netip.Addr, error) {
			mu.Lock()
			defer mu.Unlock()
			asked[host]++
			switch {
			case host == "broken":
				return nil, errors.New("no answer")
			case network == "ip4":
				return []netip.Addr{netip.MustParseAddr("192.0.2." + host[len(host)-1:])}, nil
			}
			return nil, nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { b.Run(ctx) })
		is := func(address, want string) {
			t.Helper()
			synctest.Wait()
			got := b.Addr(address, true)
			if want == "" && got.IsValid() || want != "" && got.String() != want {
				t.Errorf("%s is %s, want %q", address, got, want)
			}
		}
		b.Set([]string{"host1", "192.0.2.9", "2001:db8::1"})
		is("host1", "192.0.2.1")
		is("192.0.2.9", "192.0.2.9")
		is("2001:db8::1", "")
		is("host2", "")
		if got := b.Addr("2001:db8::1", false).String(); got != "2001:db8::1" || b.Err() != nil {
			t.Errorf("IPv6: %s, %v", got, b.Err())
		}
		b.Set([]string{"host2", "host1", "broken"})
		is("host2", "192.0.2.2")
		is("host1", "192.0.2.1")
		is("192.0.2.9", "")
		if b.Err() == nil {
			t.Error("what can't be resolved is no error")
		}
		b.Set(nil)
		is("host1", "")
		if b.Err() != nil {
			t.Errorf("nothing to resolve, but %v", b.Err())
		}
		mu.Lock()
		if asked["host1"] != 2 { // once for each family, although it was set twice
			t.Errorf("asked: %v", asked)
		}
		mu.Unlock()
		cancel()
		running.Wait()
	})
}
