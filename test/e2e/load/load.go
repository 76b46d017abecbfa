// Package load puts an FTP server under the load of many clients, checks every byte and counts every outcome.
//
// Each client opens one session after the other: it connects, retries after a pause if it is refused, logs in,
// uploads and downloads some files in passive mode, and quits. The contents of files are determined by the seed and
// their names, so that any client can check what it receives. A transfer that fails is counted and not retried; the
// client goes on with a new session.
package load

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// Config describes a load.
type Config struct {
	// Network is the network of the clients, and Address the server's control port (host:port).
	Network ftpclient.Network
	Address string
	// User and Password are those of all clients.
	User, Password string
	// TLS is the configuration of every second session, with explicit TLS; nil: all sessions are in clear text. Each
	// session gets a copy with its own session cache.
	TLS *tls.Config
	// Dir is the prefix of all files' paths, such as "load-". Loads that run at the same time or share their storage
	// need different ones.
	Dir string

	// Clients is the number of clients, not counting the slow ones.
	Clients int
	// Transfers is the number of attempted transfers after which the load ends; 0: only Stop ends it.
	Transfers int
	// PerSession is the largest number of transfers of a session. The first of them is an upload.
	PerSession int
	// MaxSize is the largest size of a file, in bytes. Most files are smaller.
	MaxSize int
	// Pause is the mean time that a client waits between two transfers.
	Pause time.Duration
	// Slow is the number of additional clients whose transfers are slow: SlowSize bytes in SlowTime each, one upload
	// and one download in a session.
	Slow     int
	SlowSize int
	SlowTime time.Duration

	// RetryAfter is the time that a client that was refused waits before it retries.
	RetryAfter time.Duration
	// Patience bounds each single step of a session; 0 means ftpclient.DefaultPatience.
	Patience time.Duration
	// Unreachable, unless nil, returns what is known about an address to which no data connection could be made. It becomes a
	// part of the error.
	Unreachable func(ctx context.Context, address string) string
	// Seed determines all random choices.
	Seed uint64
}

// Load is a running load.
type Load struct {
	cfg      Config
	stop     chan struct{}
	stopOnce sync.Once
	running  sync.WaitGroup
	began    time.Time
	tried    atomic.Int64
	sessions atomic.Int64

	mu     sync.Mutex
	report Report
}

// Start starts a load. It runs until all its transfers are done, Stop is called, or ctx ends, which also cancels
// running transfers.
func Start(ctx context.Context, cfg Config) *Load {
	l := &Load{cfg: cfg, stop: make(chan struct{}), began: time.Now()}
	for i := range cfg.Clients + cfg.Slow {
		c := &client{
			load: l, id: i, slow: i >= cfg.Clients,
			chance: rand.New(rand.NewPCG(cfg.Seed, uint64(i))), //nolint:gosec // small and not negative; to be foreseen
		}
		l.running.Go(func() { c.run(ctx) })
	}
	return l
}

// Stop waits until the running transfers are done and returns the report.
func (l *Load) Stop() *Report {
	l.stopOnce.Do(func() { close(l.stop) })
	return l.Wait()
}

// Wait waits until the load has ended and returns the report.
func (l *Load) Wait() *Report {
	l.running.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.report.Elapsed = time.Since(l.began)
	return &l.report
}

// Tried returns the number of transfers attempted so far.
func (l *Load) Tried() int { return int(min(l.tried.Load(), int64(l.most()))) }

func (l *Load) most() int {
	if l.cfg.Transfers == 0 {
		return int(^uint(0) >> 1)
	}
	return l.cfg.Transfers
}

// stopped reports whether no new transfer may start.
func (l *Load) stopped() bool {
	select {
	case <-l.stop:
		return true
	default:
		return l.tried.Load() >= int64(l.most())
	}
}

// take reports whether one more transfer may start, and counts it.
func (l *Load) take() bool {
	return !l.stopped() && l.tried.Add(1) <= int64(l.most())
}

func (l *Load) add(s *Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.report.Sessions = append(l.report.Sessions, *s)
}
