// Package advertise keeps the address that the reply to PASV names. A Resolver holds an IP address, or a host name
// that it resolves again and again; while the name can't be resolved, the last good answer stays in use. Overrides
// holds several such addresses (overrides.go), and File reads an address from a file (file.go). Start reading at
// Resolver. The package imports config of this module.
package advertise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	refresh       = 30 * time.Second // the pause after a good answer
	firstRetry    = time.Second      // the pause after a failure; it doubles with each further failure, up to refresh
	lookupTimeout = 5 * time.Second
)

// lookupFunc is the type of net.Resolver's LookupNetIP; the network is "ip4" or "ip6".
type lookupFunc func(ctx context.Context, network, host string) ([]netip.Addr, error)

// Resolver holds the address to advertise. It is safe for concurrent use.
type Resolver struct {
	log    *slog.Logger
	lookup lookupFunc
	wake   chan struct{} // holds a token after Set has changed something

	mu         sync.Mutex
	text       string // the text that Set was called with
	host       string // the host name to resolve; empty if there is none
	generation int    // the number of changes by Set
	cancel     context.CancelFunc
	current    addresses
	resolved   bool // current is an answer for host
	err        error
}

// addresses are the advertised addresses by family; the zero Addr stands for none.
type addresses struct{ v4, v6 netip.Addr }

// New returns a Resolver with nothing to advertise.
func New(log *slog.Logger) *Resolver {
	// Go's resolver stops when its context ends; the C library's would leave a thread behind.
	dns := &net.Resolver{PreferGo: true}
	return newResolver(log, dns.LookupNetIP)
}

func newResolver(log *slog.Logger, lookup lookupFunc) *Resolver {
	return &Resolver{log: log, lookup: lookup, wake: make(chan struct{}, 1)}
}

// Set sets the IP address or host name to advertise; an empty text stands for none. An IP address is in force when
// Set returns. A host name is in force once Run has resolved it; until then the previous address stays in force. Set
// does nothing if the address is set already.
func (r *Resolver) Set(address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if address == r.text {
		return
	}
	r.text, r.host, r.resolved, r.err = address, "", false, nil
	r.generation++
	ip, err := netip.ParseAddr(address)
	switch {
	case address == "":
		r.use(addresses{})
	case err != nil:
		r.host = address
	case ip.Unmap().Is4():
		r.use(addresses{v4: ip.Unmap()})
	default:
		r.use(addresses{v6: ip})
	}
	if r.cancel != nil {
		r.cancel() // this lookup no longer matters
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run resolves host names until ctx ends, and leaves no goroutine behind. It must be called only once.
func (r *Resolver) Run(ctx context.Context) {
	failures := 0
	for {
		var next <-chan time.Time
		if j := r.begin(ctx); j.host != "" {
			answer, err := r.resolve(j)
			j.cancel()
			if ctx.Err() != nil {
				return
			}
			pause := refresh
			if err != nil {
				pause = min(firstRetry<<min(failures, 10), refresh)
				failures++
			} else {
				failures = 0
			}
			r.finish(j, answer, err)
			next = time.After(pause)
		}
		select {
		case <-ctx.Done():
			return
		case <-next:
		case <-r.wake:
			failures = 0
		}
	}
}

// job is one resolution of the host name.
type job struct {
	host       string
	generation int       // the generation of the setting that it is for
	now        addresses // the addresses in use, if they came from this host
	ctx        context.Context
	cancel     context.CancelFunc
}

// begin returns the next job. The job has no host if there is nothing to resolve.
func (r *Resolver) begin(ctx context.Context) job {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.wake: // the change that the token stands for is handled now
	default:
	}
	if r.host == "" {
		return job{}
	}
	j := job{host: r.host, generation: r.generation}
	if r.resolved {
		j.now = r.current
	}
	j.ctx, j.cancel = context.WithCancel(ctx)
	r.cancel = j.cancel
	return j
}

// finish puts the outcome of a job in force, unless Set has changed the address meanwhile.
func (r *Resolver) finish(j job, answer addresses, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if j.generation != r.generation {
		return
	}
	if err != nil && r.err == nil {
		r.log.Warn("can't resolve the address to advertise; the last answer goes on serving", "host", j.host, "error", err)
	}
	r.err = err
	if answer != (addresses{}) {
		r.resolved = true
		r.use(answer)
	}
}

// use puts addresses in force. The caller holds the lock.
func (r *Resolver) use(a addresses) {
	if a == r.current {
		return
	}
	r.current = a
	r.log.Info("advertised address changed", "address", r.text, "ipv4", a.v4, "ipv6", a.v6)
}

// resolve looks up the two families separately, so that a failure of one is not mistaken for the absence of
// addresses. With an error it still returns the best addresses to use.
func (r *Resolver) resolve(j job) (addresses, error) {
	v4, err4 := r.ask(j, "ip4", j.now.v4)
	v6, err6 := r.ask(j, "ip6", j.now.v6)
	if err := errors.Join(err4, err6); err != nil {
		return addresses{v4, v6}, fmt.Errorf("resolve %s: %w", j.host, err)
	}
	if !v4.IsValid() && !v6.IsValid() {
		return j.now, fmt.Errorf("resolve %s: it has no address: correct the name, or add it to the DNS", j.host)
	}
	return addresses{v4, v6}, nil
}

// ask looks up one family and returns the address to use. It returns the zero Addr if the name has no address of the
// family, and the address in use (now) together with an error.
func (r *Resolver) ask(j job, network string, now netip.Addr) (netip.Addr, error) {
	ctx, cancel := context.WithTimeout(j.ctx, lookupTimeout)
	defer cancel()
	found, err := r.lookup(ctx, network, j.host)
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return netip.Addr{}, nil
	}
	if err != nil {
		return now, err
	}
	return choose(network, now, found), nil
}

// choose returns the address in use while it is among those found, since clients may remember it. Otherwise it
// returns the lowest address, since answers come in any order.
func choose(network string, now netip.Addr, found []netip.Addr) netip.Addr {
	var lowest netip.Addr
	for _, ip := range found {
		ip = ip.Unmap().WithZone("")
		if ip.Is4() != (network == "ip4") || ip.IsUnspecified() || ip.IsMulticast() {
			continue
		}
		if ip == now {
			return now
		}
		if !lowest.IsValid() || ip.Less(lowest) {
			lowest = ip
		}
	}
	return lowest
}

func (r *Resolver) addresses() addresses {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current
}

// Addr returns the IPv4 (want4) or IPv6 address to advertise, or the zero Addr if there is none of that family. It
// never blocks.
func (r *Resolver) Addr(want4 bool) netip.Addr {
	a := r.addresses()
	if want4 {
		return a.v4
	}
	return a.v6
}

// Err returns the error of the last attempt to resolve the host name. It is nil if that succeeded, if there was no
// attempt yet, or if there is no host name.
func (r *Resolver) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}
