package budget

import "github.com/ftp-operator/ftp-operator/ftpd/proxy"

const (
	// ownDescriptors are those of the process itself: standard streams, epoll, files that are read or swept,
	// name servers, checksums, and what a command opens for a moment.
	ownDescriptors = 32
	// leastAdmin and mostAdmin bound the connections of an HTTP port.
	leastAdmin, mostAdmin = 4, 64
	// leastPending is how many connections there may be whose PROXY header is awaited.
	leastPending = 4

	// SessionDescriptors is what a session takes.
	SessionDescriptors = 1
	// HomeDescriptors is what a home takes that somebody is logged in to.
	HomeDescriptors = 1
	// DataDescriptors is what a data connection takes.
	DataDescriptors = 1
	// TransferDescriptors is what a transfer takes beside it: the file and its directory, and what it continues or replaces.
	TransferDescriptors = 4
	// SpliceDescriptors is what the pipe of an upload by splice takes.
	SpliceDescriptors = 2

	// leastReserve is enough for one login and one transfer.
	leastReserve = HomeDescriptors + DataDescriptors + TransferDescriptors + SpliceDescriptors
	// leastDescriptors is enough for a few sessions and transfers.
	leastDescriptors = 4*SessionDescriptors + 2*leastReserve
)

// descriptors divides RLIMIT_NOFILE. Each listener may have accepted one connection of which it is not known yet
// whose it is, and those of passive ports have a second descriptor.
func (b *Bounds) descriptors(limit int, d Demand) {
	b.Admin, b.PendingHeaders = mostAdmin, proxy.MaxPending
	if limit <= 0 {
		return
	}
	b.Admin = within(limit/16, leastAdmin, mostAdmin)
	left := limit - ownDescriptors - 3*d.Listeners - 2*b.Admin
	if d.Proxied {
		b.PendingHeaders = within(left/8, leastPending, proxy.MaxPending)
		left -= 2 * b.PendingHeaders
	}
	if left < leastDescriptors {
		b.warn("the limit of open files (RLIMIT_NOFILE, %d) is too little for %d listening sockets and a few transfers: set at least %d (ulimit -n), or use fewer passive ports",
			limit, d.Listeners, limit+leastDescriptors-left)
		left = leastDescriptors
	}
	b.Descriptors, b.DescriptorReserve = left, max(left/4, leastReserve)
	if most := left - b.DescriptorReserve; d.MaxSessions > most {
		b.warn("limits.maxSessions of %d is more than the %d for which there are descriptors: raise the limit of open files (RLIMIT_NOFILE, %d; ulimit -n), or lower limits.maxSessions",
			d.MaxSessions, most, limit)
	}
}
