package budget

import (
	"testing"

	"pgregory.net/rapid"
)

// The pool never gives more descriptors than there are, and sessions always leave half of the reserve. Each home
// counts once. In the end no descriptor is taken.
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
				h.GiveAll() // it holds none any more
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

// A nil pool gives everything.
func TestNoDescriptorBound(t *testing.T) {
	h := Held{Of: NewDescriptorPool(Bounds{})}
	if _, ok := h.Of.MoreSessions(); ok || !h.Take(1<<30) || !h.Of.TakeSession() || !h.Of.EnterHome("a") {
		t.Error("bounded")
	}
	h.Of.LeaveHome("a")
	h.GiveAll()
}
