package budget

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const (
	own   = 19 * mib
	heavy = 64 * mib
)

func demand(sessions int, largest int64) Demand {
	return Demand{MaxSessions: sessions, MaxPreLogin: 1024, OwnHash: own, LargestHash: largest, Listeners: 6}
}

// The bounds for usual limits.
func TestCompute(t *testing.T) {
	for name, c := range map[string]struct {
		available Available
		demand    Demand
		want      Bounds
		warnings  []string // a part of each warning
	}{
		"no limits": {
			Available{Processors: 8}, demand(0, own),
			Bounds{HashesAtOnce: 4, PreLogin: 1024, Buffers: 256, Splices: 32, Deflates: 64, Admin: 64, PendingHeaders: 1024}, nil,
		},
		"128Mi": {
			Available{Memory: 128 * mib, Processors: 2}, demand(0, own),
			Bounds{
				Memory: 128 * mib, GoLimit: 112 * mib, HashMemory: 46 * mib, HashesAtOnce: 2, Sessions: 484, PreLogin: 242,
				Buffers: 23, Splices: 5, Deflates: 4, Admin: 64, PendingHeaders: 1024,
			}, nil,
		},
		"128Mi with a hash of 64 MiB, which is verified alone": {
			Available{Memory: 128 * mib, Processors: 2}, demand(0, heavy),
			Bounds{
				Memory: 128 * mib, GoLimit: 112 * mib, HashMemory: 64 * mib, HashesAtOnce: 2, Sessions: 304, PreLogin: 152,
				Buffers: 14, Splices: 3, Deflates: 2, Admin: 64, PendingHeaders: 1024,
			}, nil,
		},
		"64Mi with a hash of 64 MiB, and more sessions than it bears": {
			Available{Memory: 64 * mib, Processors: 2}, demand(1000, heavy),
			Bounds{
				Memory: 64 * mib, GoLimit: 48 * mib, HashMemory: 24 * mib, HashesAtOnce: 2, Sessions: 20, PreLogin: 10,
				Buffers: 2, Splices: 1, Deflates: 1, Admin: 64, PendingHeaders: 1024,
			},
			[]string{"memory limit of 64Mi (spec.template.resources.limits.memory) is too little for the largest password hash", "limits.maxSessions of 1000 is more than the 20"},
		},
		"a gibibyte, and GOMEMLIMIT": {
			Available{Memory: 1 << 30, GoLimit: 100 * mib, Processors: 2}, demand(0, own),
			Bounds{
				Memory: 1 << 30, GoLimit: 100 * mib, HashMemory: 40 * mib, HashesAtOnce: 2, Sessions: 400, PreLogin: 200,
				Buffers: 20, Splices: 5, Deflates: 4, Admin: 64, PendingHeaders: 1024,
			}, nil,
		},
		"too little for anything": {
			Available{Memory: 32 * mib, Processors: 2}, demand(0, own),
			Bounds{
				Memory: 32 * mib, GoLimit: 16 * mib, HashMemory: 19 * mib, HashesAtOnce: 2, Sessions: 16, PreLogin: 8,
				Buffers: 2, Splices: 1, Deflates: 1, Admin: 64, PendingHeaders: 1024,
			},
			[]string{"memory limit of 32Mi (spec.template.resources.limits.memory) is too little for one login at a time and 16 sessions: set at least 59Mi"},
		},
		"256 descriptors": {
			Available{Descriptors: 256, Processors: 2}, demand(1000, own),
			Bounds{
				HashesAtOnce: 2, PreLogin: 1024, Buffers: 256, Splices: 32, Deflates: 64,
				Descriptors: 174, DescriptorReserve: 43, Admin: 16, PendingHeaders: 1024,
			},
			[]string{"limits.maxSessions of 1000 is more than the 131 for which there are descriptors"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := Compute(c.available, c.demand)
			warnings := got.Warnings
			got.Warnings = nil
			if len(warnings) != len(c.warnings) {
				t.Errorf("warnings: %q", warnings)
			}
			for i, w := range warnings {
				if i < len(c.warnings) && !strings.Contains(w, c.warnings[i]) {
					t.Errorf("warning %q lacks %q", w, c.warnings[i])
				}
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// For any limits and any configuration: everything that is allowed together stays within the limit, unless a warning
// says that the limit is too small; something is always allowed; more memory never allows less; and the limit that a
// warning recommends is enough.
func TestComputeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Available{
			Memory:      rapid.Int64Range(0, 4<<30).Draw(t, "memory"),
			GoLimit:     rapid.SampledFrom([]int64{0, 0, 50 * mib, 1 << 30}).Draw(t, "GOMEMLIMIT"),
			Descriptors: rapid.IntRange(0, 1<<20).Draw(t, "descriptors"),
			Processors:  rapid.IntRange(0, 64).Draw(t, "processors"),
		}
		d := Demand{
			MaxSessions: rapid.IntRange(0, 20000).Draw(t, "sessions"),
			MaxPreLogin: rapid.IntRange(1, 100000).Draw(t, "before login"),
			OwnHash:     own,
			LargestHash: rapid.Int64Range(0, heavy).Draw(t, "hash"),
			Listeners:   rapid.IntRange(1, 1000).Draw(t, "listeners"),
			Proxied:     rapid.Bool().Draw(t, "proxied"),
		}
		b := Compute(a, d)
		if b.HashesAtOnce < 1 || b.PreLogin < 1 || b.PreLogin > d.MaxPreLogin || b.Buffers < 1 || b.Splices < 1 || b.Deflates < 1 || b.Admin < 1 || b.PendingHeaders < 1 {
			t.Fatalf("nothing is left for something: %+v", b)
		}
		bounded := a.Memory > 0 || a.GoLimit > 0
		if bounded != (b.GoLimit > 0) || bounded != (b.HashMemory > 0) || bounded != (b.Sessions > 0) {
			t.Fatalf("bounds without a limit, or the reverse: %+v", b)
		}
		if bounded {
			if b.HashMemory < own || b.Sessions < leastSessions {
				t.Fatalf("nobody can log in: %+v", b)
			}
			sum := base + b.HashMemory + int64(b.Sessions)*SessionMemory + int64(b.Buffers)*LargeBuffer + int64(b.Splices)*pipe + int64(b.Deflates)*deflater
			if sum > b.GoLimit && !warned(b, "too little for one login") {
				t.Fatalf("%d MiB of %d MiB: %+v", sum/mib, b.GoLimit/mib, b)
			}
			if a.Memory > 0 && b.GoLimit > a.Memory {
				t.Fatalf("the heap may be larger than the limit: %+v", b)
			}
			if (max(own, d.LargestHash) > b.HashMemory) != warned(b, "largest password hash") {
				t.Fatalf("a hash that can't be verified is not told: %+v", b)
			}
			more := Compute(Available{Memory: a.Memory + 64*mib, Processors: a.Processors}, d)
			if a.GoLimit == 0 && (more.HashMemory < b.HashMemory || more.Sessions < b.Sessions-int(heavy/SessionMemory)) {
				t.Fatalf("more memory allows less: %+v, %+v", b, more)
			}
			cured := Compute(Available{Memory: LimitForHash(d.LargestHash), Processors: a.Processors}, d)
			if warned(cured, "largest password hash") {
				t.Fatalf("the remedy is none: %+v", cured)
			}
			if warned(b, "limits.maxSessions of") && a.GoLimit == 0 {
				if cured := Compute(Available{Memory: limitForSessions(a, d), Processors: a.Processors}, d); warned(cured, "limits.maxSessions of") {
					t.Fatalf("the remedy is none: %+v", cured)
				}
			}
		}
		if a.Descriptors > 0 {
			sum := b.Descriptors + ownDescriptors + 2*d.Listeners + 2*b.Admin
			if d.Proxied {
				sum += 2 * b.PendingHeaders
			}
			if sum > a.Descriptors && !warned(b, "open files") {
				t.Fatalf("%d descriptors of %d: %+v", sum, a.Descriptors, b)
			}
			if b.DescriptorReserve < leastReserve || b.Descriptors-b.DescriptorReserve < 2 {
				t.Fatalf("nothing is left for somebody: %+v", b)
			}
		}
	})
}

func warned(b Bounds, text string) bool {
	for _, w := range b.Warnings {
		if strings.Contains(w, text) {
			return true
		}
	}
	return false
}
