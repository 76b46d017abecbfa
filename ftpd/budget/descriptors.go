package budget

import "github.com/ftp-operator/ftp-operator/ftpd/proxy"

const (
	// ownDescriptors is the number of descriptors that the process itself uses: standard streams, epoll, files that
	// are read or swept, name servers, checksums, and what a command opens for a moment.
	ownDescriptors = 32
	// leastAdmin and mostAdmin bound the number of connections of an HTTP port.
	leastAdmin, mostAdmin = 4, 64
	// leastPending is the least number of connections whose PROXY header may be awaited.
	leastPending = 4

	// SessionDescriptors is the number of descriptors that a session takes.
	SessionDescriptors = 1
	// HomeDescriptors is the number that a home takes while a user is logged in to it.
	HomeDescriptors = 2
	// DataDescriptors is the number that a data connection takes.
	DataDescriptors = 1
	// TransferDescriptors is the number that a transfer takes besides its data connection: the file, its directory,
	// and the file that it continues or replaces.
	TransferDescriptors = 4
	// SpliceDescriptors is the number that the pipe of an upload by splice takes.
	SpliceDescriptors = 2

	// leastReserve is enough for one login and one transfer.
	leastReserve = HomeDescriptors + DataDescriptors + TransferDescriptors + SpliceDescriptors
	// leastDescriptors is enough for a few sessions and transfers.
	leastDescriptors = 4*SessionDescriptors + 2*leastReserve
)

// descriptors divides RLIMIT_NOFILE (limit). Each listener may have accepted one connection whose client is not known
// yet, and the listener of a passive port has a second descriptor.
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
