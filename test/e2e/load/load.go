// Package load puts an FTP server under the load of many clients, checks every byte and counts
// every outcome.
//
// Each client is one after the other in sessions of its own: it connects, again after a pause if it
// is refused, logs in, uploads and downloads some files in passive mode, and quits. The contents of
// files follow from the seed and their names, so that any client can tell whether what it gets is
// what was sent. What fails is counted and not tried again; the client goes on with a new session.
package load

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ftp-operator/ftp-operator/test/e2e/ftpclient"
)

// Config is a load.
type Config struct {
	// Network is where the clients are, and Address the server's control port (host:port).
	Network ftpclient.Network
	Address string
	// User and Password of all clients.
	User, Password string
	// TLS is the configuration for every second session, explicit TLS; nil: all are in clear text.
	// Each session gets a copy with a session cache of its own.
	TLS *tls.Config
	// Dir is the prefix of all files' paths, such as "load-": loads that run side by side, or share
	// their storage, need different ones.
	Dir string

	// Clients is how many there are.
	Clients int
	// Transfers ends the load after so many have been tried; 0: only Stop does.
	Transfers int
	// PerSession is how many transfers a session has, at most, of which the first is an upload.
	PerSession int
	// MaxSize of files, in bytes. They are smaller, mostly.
	MaxSize int
	// Pause is the mean time that a client waits between two transfers.
	Pause time.Duration
	// Slow are clients, beside the others, whose transfers take long: SlowSize bytes in SlowTime
	// each, an upload and a download in a session.
	Slow     int
	SlowSize int
	SlowTime time.Duration

	// RetryAfter is how long a client that was refused waits before it tries again.
	RetryAfter time.Duration
	// Patience bounds every single step of a session. Default: ftpclient's.
	Patience time.Duration
	// Seed of all that is chosen by chance.
	Seed uint64
}

// Load is one that runs.
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

// Start begins a load, which runs until it has had all its transfers, Stop, or the context's end, which
// also breaks off what runs.
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

// Stop lets the transfers that run come to their end and returns the report.
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

// Tried is how many transfers were tried so far.
func (l *Load) Tried() int { return int(min(l.tried.Load(), int64(l.most()))) }

func (l *Load) most() int {
	if l.cfg.Transfers == 0 {
		return int(^uint(0) >> 1)
	}
	return l.cfg.Transfers
}

// stopped reports whether no new transfer may begin.
func (l *Load) stopped() bool {
	select {
	case <-l.stop:
		return true
	default:
		return l.tried.Load() >= int64(l.most())
	}
}

// take claims the right to one more transfer.
func (l *Load) take() bool {
	return !l.stopped() && l.tried.Add(1) <= int64(l.most())
}

func (l *Load) add(s *Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.report.Sessions = append(l.report.Sessions, *s)
}
