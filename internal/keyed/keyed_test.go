package keyed

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestDigest(t *testing.T) {
	k := NewKey()
	same := k.Digest("alice", "secret")
	if k.Digest("alice", "secret") != same {
		t.Error("a digest is another one the second time")
	}
	for _, parts := range [][]string{{}, {"alice"}, {"alicesecret"}, {"alices", "ecret"}, {"secret", "alice"}, {"alice", "secret", ""}, {"", "alice", "secret"}} {
		if k.Digest(parts...) == same {
			t.Errorf("%q has the digest of others", parts)
		}
	}
	if NewKey().Digest("alice", "secret") == same {
		t.Error("another key makes the same digest")
	}
}

// The set must agree with a plain least-recently-used list, and never hold more than its limit.
func TestSetAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(-1, 4).Draw(t, "most")
		s := NewSet(most)
		var model []string // most recently used first
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			name := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(t, "name")
			known := slices.Contains(model, name)
			if add := rapid.Bool().Draw(t, "add"); add {
				s.Add("name", name)
				known = true
			} else if s.Has("name", name) != known {
				t.Fatalf("%s: known %v, want %v", name, !known, known)
			}
			if known {
				model = slices.DeleteFunc(model, func(m string) bool { return m == name })
				model = slices.Insert(model, 0, name)
				model = model[:min(len(model), max(most, 0))]
			}
			if s.Len() != len(model) || len(s.known) != len(model) {
				t.Fatalf("holds %d and %d, want %d", s.Len(), len(s.known), len(model))
			}
		}
	})
}
