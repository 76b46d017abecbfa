package budget

import (
	"testing"

	"pgregory.net/rapid"
)

// Never are more descriptors taken than there are, nor more for sessions than leave half of the reserve; each home
// counts once; nothing is left in the end.
func TestDescriptors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(8, 40).Draw(t, "most")
		d := NewDescriptorPool(Bounds{Descriptors: most, DescriptorReserve: rapid.IntRange(2, most/2).Draw(t, "reserve")})
		sessions := 0
		homes := map[string]int{}
		var transfers []*Held
		used := func() int {
			n := sessions + len(homes)*HomeDescriptors
			for _, h := range transfers {
				n += h.count
			}
			return n
		}
		t.Repeat(map[string]func(*rapid.T){
			"connect": func(t *rapid.T) {
				fits := used() < most-d.reserve/2
				if d.TakeSession() != fits {
					t.Fatalf("fits: %v", fits)
				}
				if fits {
					sessions++
				}
			},
			"disconnect": func(*rapid.T) {
				if sessions > 0 {
					sessions--
					d.Give(SessionDescriptors)
				}
			},
			"log in": func(t *rapid.T) {
				home := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "home")
				fits := homes[home] > 0 || used()+HomeDescriptors <= most
				if d.EnterHome(home) != fits {
					t.Fatalf("fits: %v", fits)
				}
				if fits {
					homes[home]++
				}
			},
			"log out": func(t *rapid.T) {
				home := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "home")
				if homes[home] > 0 {
					d.LeaveHome(home)
					if homes[home]--; homes[home] == 0 {
						delete(homes, home)
					}
				}
			},
			"transfer": func(t *rapid.T) {
				n := rapid.IntRange(1, 6).Draw(t, "descriptors")
				h := &Held{Of: d}
				fits := used()+n <= most
				if h.Take(n) != fits {
					t.Fatalf("fits: %v", fits)
				}
				moved := h.Move()
				h.GiveAll() // it has none any more
				transfers = append(transfers, &moved)
			},
			"end": func(t *rapid.T) {
				if len(transfers) > 0 {
					h := rapid.SampledFrom(transfers).Draw(t, "transfer")
					h.Give(rapid.IntRange(0, 2).Draw(t, "some"))
					if rapid.Bool().Draw(t, "all") {
						h.GiveAll()
					}
				}
			},
			"": func(t *rapid.T) {
				if d.used != used() || d.used > most {
					t.Fatalf("%d are taken, want %d of %d", d.used, used(), most)
				}
				if more, ok := d.MoreSessions(); !ok || more != most-d.reserve-used() {
					t.Fatalf("%d more", more)
				}
			},
		})
	})
}

// Without a bound everything is to be had.
func TestNoDescriptorBound(t *testing.T) {
	h := Held{Of: NewDescriptorPool(Bounds{})}
	if _, ok := h.Of.MoreSessions(); ok || !h.Take(1<<30) || !h.Of.TakeSession() || !h.Of.EnterHome("a") {
		t.Error("bounded")
	}
	h.Of.LeaveHome("a")
	h.GiveAll()
}
