// Package budget divides what the system lets the daemon have, memory and descriptors, among what takes
// much of it: password hashes, sessions, buffers and compressed transfers. It is pure but for Find.
//
// The bounds keep the daemon within its memory limit whatever clients do, since the kernel ends a process that is
// beyond it, with all sessions. They are estimates: each cost is what was measured, rounded up.
package budget

import (
	"fmt"

	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

const (
	kib = int64(1) << 10
	mib = int64(1) << 20

	// base is what the daemon takes without sessions: the runtime, metrics, caches, logs.
	base = 20 * mib
	// SessionMemory is what a session takes: its goroutine, TLS of both connections, small buffers, and what
	// the kernel holds for its sockets. An idle one in clear text takes a fifth of it.
	SessionMemory = 64 * kib
	// LargeBuffer is the size of the buffers that make transfers and listings fast.
	LargeBuffer = 256 * kib
	// pipe is what an upload by splice may have in its pipe.
	pipe = mib
	// deflater is a compressor.
	deflater = 1280 * kib
	// reserve is what sessions have at least, whatever hashes take.
	reserve = 4 * mib

	// The least of each, however small the limit.
	leastSessions = 16
	leastPreLogin = 8
	leastBuffers  = 2

	// The most of each, however large it is.
	mostBuffers = 256
	// MostDeflates bounds the transfers that compress or expand at one time. Each compressor
	// takes about a megabyte of memory.
	MostDeflates = 64

	// MostSplices bounds the uploads that splice at one time. Each takes a pipe of 1 MiB, of which the
	// kernel grants an unprivileged user 64 (pipe-user-pages-soft); beyond that all pipes of the user shrink and
	// every upload is slow.
	MostSplices = 32

	minHeadroom = 16 * mib
	// garbageShare is how much more hashes may take than those that are computed, so that it is not after each of them that garbage has
	// to be collected.
	garbageShare = 4
)

// Available is what the system lets the process have. Zero values are not known or not limited.
type Available struct {
	// Memory is the limit, in bytes, of the process's cgroup.
	Memory int64
	// GoLimit is GOMEMLIMIT, in bytes, if the environment sets it.
	GoLimit int64
	// Descriptors is RLIMIT_NOFILE.
	Descriptors int
	// Processors is how many hashes may be computed at once at most; GOMAXPROCS.
	Processors int
}

// Demand is what a configuration asks for.
type Demand struct {
	// MaxSessions is limits.maxSessions, 0 without a bound; MaxPreLogin is limits.maxPreLogin.
	MaxSessions, MaxPreLogin int
	// OwnHash and LargestHash are the memory, in bytes, of a hash that the daemon's tools make, and of the
	// largest of the users'.
	OwnHash, LargestHash int64
	// Listeners is how many sockets listen, passive ports and the admin port included.
	Listeners int
	// Proxied: PROXY headers are awaited.
	Proxied bool
}

// Bounds are what follows. A zero is no bound.
type Bounds struct {
	// Memory is the memory limit, and GoLimit the soft limit of the Go heap within it.
	Memory, GoLimit int64
	// HashMemory bounds what hashes take at one time, HashesAtOnce how many are computed.
	HashMemory   int64
	HashesAtOnce int
	// Sessions is how many the memory bears; PreLogin bounds those in which nobody is logged in.
	Sessions, PreLogin int
	// Buffers are the large ones, Splices the uploads by splice, Deflates the compressed transfers, at one time.
	Buffers, Splices, Deflates int
	// Descriptors are those for sessions and transfers, DescriptorReserve those of them that
	// are kept for transfers, and Admin how many connections each HTTP port may have.
	Descriptors, DescriptorReserve, Admin int
	// PendingHeaders are the connections whose PROXY header is awaited, of control and of passive ports each.
	PendingHeaders int
	// Warnings name each limit that is too small for what is configured, with the field and the fix.
	Warnings []string
}

// Compute returns the bounds.
func Compute(a Available, d Demand) Bounds {
	b := Bounds{
		Memory: a.Memory, HashesAtOnce: min(max(a.Processors, 1), passhash.MaxAtOnce), PreLogin: d.MaxPreLogin,
		Buffers: mostBuffers, Splices: MostSplices, Deflates: MostDeflates,
	}
	if target := GoLimit(a); target > 0 {
		b.GoLimit = target
		b.memory(target, d)
		b.warnMemory(a, d)
	}
	b.descriptors(a.Descriptors, d)
	return b
}

// GoLimit is the soft limit of the Go heap: what the environment says, or else the memory limit without a tenth, and
// at least 16 MiB less, for what is not the heap's: the kernel's part of sockets, and pipes. 0 is none.
func GoLimit(a Available) int64 {
	if a.Memory <= 0 {
		return a.GoLimit
	}
	target := a.Memory - min(max(a.Memory/10, minHeadroom), a.Memory/2)
	if a.GoLimit > 0 {
		return min(a.GoLimit, target)
	}
	return target
}

// memory divides what there is for the heap.
func (b *Bounds) memory(target int64, d Demand) {
	free := max(target-base, 0)
	largest := max(d.OwnHash, d.LargestHash)
	b.HashMemory = max(free/2, min(largest, free-reserve))
	b.HashMemory = min(b.HashMemory, garbageShare*int64(b.HashesAtOnce)*largest)
	b.HashMemory = max(b.HashMemory, d.OwnHash) // or nobody could log in
	rest := max(free-b.HashMemory, 0)
	share := rest / 8
	b.Buffers = within(share/LargeBuffer, leastBuffers, mostBuffers)
	b.Splices = within(share/pipe, 1, MostSplices)
	b.Deflates = within(share/deflater, 1, MostDeflates)
	rest -= int64(b.Buffers)*LargeBuffer + int64(b.Splices)*pipe + int64(b.Deflates)*deflater
	b.Sessions = within(rest/SessionMemory, leastSessions, 1<<30)
	b.PreLogin = min(d.MaxPreLogin, max(b.Sessions/2, leastPreLogin))
}

func (b *Bounds) warnMemory(a Available, d Demand) {
	field := fmt.Sprintf("memory limit of %s (spec.template.resources.limits.memory)", inMiB(a.Memory))
	if a.Memory <= 0 || a.GoLimit > 0 && a.GoLimit < GoLimit(Available{Memory: a.Memory}) {
		field = fmt.Sprintf("GOMEMLIMIT of %s", inMiB(a.GoLimit))
	}
	if need := base + d.OwnHash + reserve; b.GoLimit < need {
		b.warn("%s is too little for one login at a time and %d sessions: set at least %s", field, leastSessions, inMiB(limitFor(need)))
	}
	if d.LargestHash > b.HashMemory {
		b.warn("%s is too little for the largest password hash, which takes %s to verify: set at least %s, or hash the password again with less (as `ftpd hash` does)",
			field, inMiB(d.LargestHash), inMiB(LimitForHash(d.LargestHash)))
	}
	if d.MaxSessions > b.Sessions {
		b.warn("limits.maxSessions of %d is more than the %d that the %s bears: set a memory limit of %s, or lower limits.maxSessions",
			d.MaxSessions, b.Sessions, field, inMiB(limitForSessions(a, d)))
	}
}

func (b *Bounds) warn(format string, args ...any) {
	b.Warnings = append(b.Warnings, fmt.Sprintf(format, args...))
}

// LimitForHash is the least memory limit, in bytes, under which a hash of so much memory can be verified.
func LimitForHash(memory int64) int64 { return limitFor(base + memory + reserve) }

// limitFor is the least memory limit, in whole MiB, of which so much is left for the Go heap.
func limitFor(target int64) int64 {
	limit := (target/mib + 1) * mib
	for GoLimit(Available{Memory: limit}) < target {
		limit += mib
	}
	return limit
}

// limitForSessions is the least memory limit, in steps of 64 MiB, that bears limits.maxSessions.
func limitForSessions(a Available, d Demand) int64 {
	const step = 64 * mib
	for limit := step; limit < 1<<42; limit += step {
		b := Bounds{HashesAtOnce: min(max(a.Processors, 1), passhash.MaxAtOnce)}
		b.memory(GoLimit(Available{Memory: limit}), d)
		if b.Sessions >= d.MaxSessions {
			return limit
		}
	}
	return 1 << 42
}

func within[N int | int64](n, least, most N) int { return int(min(max(n, least), most)) }

// inMiB is an amount of memory as Kubernetes writes it.
func inMiB(bytes int64) string { return fmt.Sprintf("%dMi", (bytes+mib-1)/mib) }
