package passive

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// docs/passive-range.md says that n ports, each held for the time h, carry n/h data connections per second: for all
// clients together if their addresses are hidden, and for each client if they are visible. Time passes in ticks here,
// and h is a number of ticks. At that rate no connection waits; one more within h does.
func TestPortsTimesRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "ports")
		held := rapid.IntRange(1, 30).Draw(t, "ticks held")
		clients := rapid.IntRange(1, 5).Draw(t, "clients")
		exclusive := rapid.Bool().Draw(t, "hidden")
		l := newLedger(config.PortRange(30000, 30000+uint16(n)-1)) //nolint:gosec // small

		var live [][]*hold // the holds that began at each tick
		begun := make([]int, clients)
		request := func(client int) bool {
			h := &hold{client: address(client), exclusive: exclusive}
			live[len(live)-1] = append(live[len(live)-1], h)
			return l.request(h)
		}
		for tick := range 4 * held {
			live = append(live, nil)
			if tick >= held {
				for _, h := range live[tick-held] {
					if granted := l.end(h); len(granted) > 0 {
						t.Fatal("somebody had waited")
					}
				}
			}
			// At tick x each client (or all of them together) has started x*n/held connections.
			for client := range clients {
				if exclusive && client > 0 {
					break
				}
				for begun[client]*held < (tick+1)*n {
					from := client
					if exclusive {
						from = begun[client] % clients
					}
					if begun[client]++; !request(from) {
						t.Fatalf("tick %d: connection %d must wait", tick, begun[client])
					}
				}
			}
		}
		if request(0) {
			t.Fatalf("%d ports, all held for %d ticks yet, carry one more", n, held)
		}
	})
}

func address(i int) netip.Addr {
	var four [4]byte
	binary.BigEndian.PutUint32(four[:], 0xc0000200+uint32(i)) //nolint:gosec // small
	return netip.AddrFrom4(four)
}
