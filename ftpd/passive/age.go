package passive

import (
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// ticks is a time by the clock that the kernel stamps connections with, which counts ticks. On a busy
// machine, above all a virtual one, it may be behind other clocks for a while; so times are only
// compared with others of its own. Below zero: not known.
type ticks time.Duration

// tickSlack is by how much stamps and the clock may differ: two ticks, and what is lost when a stamp
// is told in milliseconds.
var tickSlack = sync.OnceValue(func() ticks {
	var tick unix.Timespec
	if err := unix.ClockGetres(unix.CLOCK_MONOTONIC_COARSE, &tick); err != nil {
		return ticks(50 * time.Millisecond) // more than any kernel's
	}
	return ticks(2*tick.Nano()) + ticks(2*time.Millisecond)
})

// tickClock is the time now.
func tickClock() ticks {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC_COARSE, &ts); err != nil {
		return -1
	}
	return ticks(ts.Nano())
}

// lastSeen is when data came last on a connection, or else when it was made.
func lastSeen(conn *net.TCPConn) ticks {
	raw, err := conn.SyscallConn()
	if err != nil {
		return -1
	}
	seen := ticks(-1)
	_ = raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) //nolint:gosec // a descriptor
		if now := tickClock(); err == nil && now >= 0 {
			seen = now - ticks(time.Duration(info.Last_data_recv)*time.Millisecond)
		}
	})
	return seen
}

// before reports whether t is certainly earlier than u.
func (t ticks) before(u ticks) bool { return t >= 0 && u >= 0 && t+tickSlack() < u }
