package passive

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// ageSlack is by how much the kernel's ages of connections, which it counts in ticks, may be wrong.
const ageSlack = 50 * time.Millisecond

// predates reports whether a connection was there before a time that is so long ago. Then it can't
// be for a reservation that was made at that time: it is what somebody, mostly the same client in an
// earlier session, has left in the listener's queue while this process had no time to accept it.
func predates(conn *net.TCPConn, ago time.Duration) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	older := false
	_ = raw.Control(func(fd uintptr) {
		// The time since data came last, or else since the connection was made.
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) //nolint:gosec // a descriptor
		older = err == nil && time.Duration(info.Last_data_recv)*time.Millisecond > ago+ageSlack
	})
	return older
}
