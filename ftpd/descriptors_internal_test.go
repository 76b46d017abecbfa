package ftpd

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/ftpd/budget"
)

// Never are more descriptors taken than there are, nor more for sessions than leave half of the reserve; each home
// counts once; nothing is left in the end.
func TestDescriptors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(8, 40).Draw(t, "most")
		d := newDescriptors(budget.Bounds{Descriptors: most, DescriptorReserve: rapid.IntRange(2, most/2).Draw(t, "reserve")})
		sessions := 0
		homes := map[string]int{}
		var transfers []*held
		used := func() int {
			n := sessions + len(homes)*budget.HomeDescriptors
			for _, h := range transfers {
				n += h.count
			}
			return n
		}
		t.Repeat(map[string]func(*rapid.T){
			"connect": func(t *rapid.T) {
				fits := used() < most-d.reserve/2
				if d.takeSession() != fits {
					t.Fatalf("fits: %v", fits)
				}
				if fits {
					sessions++
				}
			},
			"disconnect": func(*rapid.T) {
				if sessions > 0 {
					sessions--
					d.give(budget.SessionDescriptors)
				}
			},
			"log in": func(t *rapid.T) {
				home := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "home")
				fits := homes[home] > 0 || used()+budget.HomeDescriptors <= most
				if d.enterHome(home) != fits {
					t.Fatalf("fits: %v", fits)
				}
				if fits {
					homes[home]++
				}
			},
			"log out": func(t *rapid.T) {
				home := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "home")
				if homes[home] > 0 {
					d.leaveHome(home)
					if homes[home]--; homes[home] == 0 {
						delete(homes, home)
					}
				}
			},
			"transfer": func(t *rapid.T) {
				n := rapid.IntRange(1, 6).Draw(t, "descriptors")
				h := &held{of: d}
				fits := used()+n <= most
				if h.take(n) != fits {
					t.Fatalf("fits: %v", fits)
				}
				moved := h.move()
				h.giveAll() // it has none any more
				transfers = append(transfers, &moved)
			},
			"end": func(t *rapid.T) {
				if len(transfers) > 0 {
					h := rapid.SampledFrom(transfers).Draw(t, "transfer")
					h.give(rapid.IntRange(0, 2).Draw(t, "some"))
					if rapid.Bool().Draw(t, "all") {
						h.giveAll()
					}
				}
			},
			"": func(t *rapid.T) {
				if d.used != used() || d.used > most {
					t.Fatalf("%d are taken, want %d of %d", d.used, used(), most)
				}
				if more, ok := d.moreSessions(); !ok || more != most-d.reserve-used() {
					t.Fatalf("%d more", more)
				}
			},
		})
	})
}

// Without a bound everything is to be had.
func TestNoDescriptorBound(t *testing.T) {
	h := held{of: newDescriptors(budget.Bounds{})}
	if _, ok := h.of.moreSessions(); ok || !h.take(1<<30) || !h.of.takeSession() || !h.of.enterHome("a") {
		t.Error("bounded")
	}
	h.of.leaveHome("a")
	h.giveAll()
}
