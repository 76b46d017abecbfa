// Package budget divides the memory and the descriptors that the system allows the daemon among what uses much of
// them: password hashes, sessions, buffers and compressed transfers. Start reading at Compute, which derives the
// Bounds from what is Available and from the Demand of a configuration; it is pure. Find and Apply (find.go) talk to
// the system, and DescriptorPool (pool.go) counts the descriptors in use. The package imports proxy and
// internal/passhash of this module.
//
// The bounds keep the daemon within its memory limit whatever clients do: the kernel kills a process that exceeds its
// limit, and all its sessions end. The bounds are estimates: each cost is a measured value, rounded up.
package budget

import (
	"fmt"

	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

const (
	kib = int64(1) << 10
	mib = int64(1) << 20

	// base is the memory that the daemon takes without sessions: the runtime, metrics, caches, logs.
	base = 20 * mib
	// SessionMemory is the memory that a session takes: its goroutine, TLS of both connections, small buffers, and
	// what the kernel holds for its sockets. An idle session in clear text takes a fifth of it.
	SessionMemory = 64 * kib
	// LargeBuffer is the size of the buffers that make transfers and listings fast.
	LargeBuffer = 256 * kib
	// pipe is the most that an upload by splice may have in its pipe.
	pipe = mib
	// deflater is the memory that a compressor takes.
	deflater = 1280 * kib
	// reserve is the memory that is left for sessions at least, however much hashes take.
	reserve = 4 * mib

	// The least of each, however small the memory limit is.
	leastSessions = 16
	leastPreLogin = 8
	leastBuffers  = 2

	// The most of each, however large the memory limit is.
	mostBuffers = 256
	// MostDeflates bounds the number of transfers that compress or decompress at one time. Each compressor takes
	// about a megabyte of memory.
	MostDeflates = 64

	// MostSplices bounds the number of uploads that splice at one time. Each takes a pipe of 1 MiB, and the kernel
	// allows an unprivileged user 64 of these (pipe-user-pages-soft). Beyond that all pipes of the user shrink and
	// every upload is slow.
	MostSplices = 32

	// minHeadroom is the least memory that GoLimit leaves for what is not the heap, up to half of the memory limit.
	minHeadroom = 16 * mib
	// garbageShare is how many times the memory of the hashes that are computed at once hashes may take in all. The
	// rest is garbage; without room for it, the garbage collector would have to run after each hash.
	garbageShare = 4
)

// Available is what the system allows the process. A zero value is unknown or unlimited.
type Available struct {
	// Memory is the memory limit of the process's cgroup, in bytes.
	Memory int64
	// GoLimit is GOMEMLIMIT in bytes, if the environment sets it.
	GoLimit int64
	// Descriptors is RLIMIT_NOFILE, the number of descriptors.
	Descriptors int
	// Processors bounds the number of hashes that are computed at once; it is GOMAXPROCS.
	Processors int
}

// Demand is what a configuration asks for.
type Demand struct {
	// MaxSessions is limits.maxSessions, where 0 is no bound. MaxPreLogin is limits.maxPreLogin.
	MaxSessions, MaxPreLogin int
	// OwnHash is the memory of a hash that the daemon's own tools make, and LargestHash that of the largest hash
	// among the users' passwords, in bytes.
	OwnHash, LargestHash int64
	// Listeners is the number of listening sockets, those of passive ports and of the admin port included.
	Listeners int
	// Proxied reports whether PROXY headers are expected.
	Proxied bool
}

// Bounds are the bounds that Compute derives. A zero is no bound.
type Bounds struct {
	// Memory is the memory limit, and GoLimit the soft limit of the Go heap within it, in bytes.
	Memory, GoLimit int64
	// HashMemory bounds the memory of all hashes at one time, in bytes; HashesAtOnce bounds how many are computed at
	// once.
	HashMemory   int64
	HashesAtOnce int
	// Sessions is the number of sessions for which there is memory. PreLogin bounds the sessions without a login.
	Sessions, PreLogin int
	// Buffers bounds the number of large buffers, Splices that of uploads by splice, and Deflates that of compressed
	// transfers, at one time.
	Buffers, Splices, Deflates int
	// Descriptors is the number of descriptors for sessions and transfers, and DescriptorReserve the part of them
	// that is kept for transfers. Admin bounds the connections of each HTTP port.
	Descriptors, DescriptorReserve, Admin int
	// PendingHeaders bounds the number of connections whose PROXY header is awaited, separately for control ports and
	// for passive ports.
	PendingHeaders int
	// Warnings has an entry for each limit that is too small for the configuration, with its field and the fix.
	Warnings []string
}

// Compute returns the bounds for what is available and what the configuration asks for.
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

// GoLimit returns the soft limit of the Go heap in bytes, or 0 for none. It leaves a tenth of the memory limit, but
// at least 16 MiB and at most half of the limit, for memory outside the heap: the kernel's memory for sockets, and
// pipes. If the environment sets a lower GOMEMLIMIT, or if there is no memory limit, GoLimit returns GOMEMLIMIT.
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

// memory divides target, the limit of the Go heap.
func (b *Bounds) memory(target int64, d Demand) {
	free := max(target-base, 0)
	largest := max(d.OwnHash, d.LargestHash)
	b.HashMemory = max(free/2, min(largest, free-reserve))
	b.HashMemory = min(b.HashMemory, garbageShare*int64(b.HashesAtOnce)*largest)
	b.HashMemory = max(b.HashMemory, d.OwnHash) // or no user could log in
	rest := max(free-b.HashMemory, 0)
	share := rest / 8
	b.Buffers = within(share/LargeBuffer, leastBuffers, mostBuffers)
	b.Splices = within(share/pipe, 1, MostSplices)
	b.Deflates = within(share/deflater, 1, MostDeflates)
	rest -= int64(b.Buffers)*LargeBuffer + int64(b.Splices)*pipe + int64(b.Deflates)*deflater
	b.Sessions = within(rest/SessionMemory, leastSessions, 1<<30)
	b.PreLogin = min(d.MaxPreLogin, max(b.Sessions/2, leastPreLogin))
}

// warnMemory adds a warning for each demand that the memory limit does not cover.
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

// LimitForHash returns the least memory limit, in bytes, under which a hash that takes this much memory can be
// verified.
func LimitForHash(memory int64) int64 { return limitFor(base + memory + reserve) }

// limitFor returns the least memory limit, in whole MiB but in bytes, that leaves target for the Go heap.
func limitFor(target int64) int64 {
	limit := (target/mib + 1) * mib
	for GoLimit(Available{Memory: limit}) < target {
		limit += mib
	}
	return limit
}

// limitForSessions returns the least memory limit, in steps of 64 MiB, that is enough for limits.maxSessions.
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

// within returns the value of the range from least to most that is nearest to n.
func within[N int | int64](n, least, most N) int { return int(min(max(n, least), most)) }

// inMiB returns an amount of memory in the notation of Kubernetes, rounded up.
func inMiB(bytes int64) string { return fmt.Sprintf("%dMi", (bytes+mib-1)/mib) }
