package ftpd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/advertise"
	"github.com/ftp-operator/ftp-operator/ftpd/bandwidth"
	"github.com/ftp-operator/ftp-operator/ftpd/bans"
	"github.com/ftp-operator/ftp-operator/ftpd/budget"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/fair"
	"github.com/ftp-operator/ftp-operator/ftpd/limits"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/passive"
	"github.com/ftp-operator/ftp-operator/ftpd/proxy"
	"github.com/ftp-operator/ftp-operator/ftpd/quota"
	"github.com/ftp-operator/ftp-operator/ftpd/safelog"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

// ErrServerClosed is what Serve and ListenAndServe return after Shutdown or Close.
var ErrServerClosed = errors.New("ftpd: server closed")

const (
	// cachedLogins is how many verified passwords are remembered.
	cachedLogins = 10000
	// defaultFailureDelay is how long a failed login waits for its reply.
	defaultFailureDelay = 500 * time.Millisecond
	// defaultReplyTimeout is how long a client may leave a reply unread.
	defaultReplyTimeout = 30 * time.Second
)

// Options are what a program, other than its configuration file, tells a Server. The zero value
// is useful.
type Options struct {
	// Logger gets one line per login, logout, transfer and change. Default slog.Default().
	Logger *slog.Logger
	// FailureDelay is how long the reply to a failed login is held back. Default 500ms;
	// negative: not at all.
	FailureDelay time.Duration
	// ReplyTimeout is how long a client may leave a reply unread before its session is ended.
	// Default 30s.
	ReplyTimeout time.Duration
	// Observer, if there is one, is told what happens.
	Observer observe.Observer
	// Resources, if set, are what the system lets the process have; see budget.Find. What the server takes is
	// bounded by them.
	Resources budget.Available
	// Storage, if set, is what the server stores through, made of the one at storage.root.
	Storage func(storage.Backend) storage.Backend
}

// Server is an FTP server. Make one with New.
type Server struct {
	log          *slog.Logger
	failureDelay time.Duration
	replyTimeout time.Duration
	observer     observe.Observer

	settings  atomic.Pointer[settings]
	resources budget.Available
	bounding  sync.Mutex
	divided   bool // descriptors are; guarded by bounding
	bounds    atomic.Pointer[budget.Bounds]
	files     atomic.Pointer[budget.DescriptorPool] // nil: without a bound, or the ports are not known yet
	deflates  *fair.Places                          // of compressed transfers

	cache    *passhash.Cache
	resolver *advertise.Resolver
	// podAddress is the pod's own address, see config.PodAddressFile.
	podAddress *advertise.File
	// overrides are the addresses of passive.overrides.
	overrides *advertise.Overrides
	storage   storage.Backend
	quota     *quota.Registry
	bans      *bans.List
	counter   limits.Counter
	shaper    *bandwidth.Shaper
	headers   *proxy.Reader // of control connections
	watchdog  *watchdog
	unused    *unusedLog

	ports     atomic.Pointer[passive.Pool] // nil until they are known and bound
	portsWait atomic.Pointer[string]       // why they are not
	transfers atomic.Int64
	lastLogin atomic.Pointer[time.Time] // of anybody; nil before the first
	lastID    atomic.Uint64

	// ctx ends with the server; background are its goroutines, sessions excluded.
	ctx        context.Context
	cancel     context.CancelFunc
	background sync.WaitGroup
	startOnce  sync.Once
	startErr   error

	reloading sync.Mutex // one Reload at a time
	implicit  implicitPorts

	phase atomic.Int32 // a phase; changed under mu

	mu           sync.Mutex
	listeners    map[net.Listener]struct{}
	sessions     map[*session]struct{}
	noSessions   chan struct{} // closed when, from phaseRefusing on, no session is left
	rejectedHash string
	configError  string
}

// phase is where in its life a server is.
type phase int32

const (
	phaseServing  phase = iota
	phaseLameDuck       // not ready any more, new sessions are still taken
	phaseRefusing       // new sessions get 421, idle ones are ended
	phaseClosed
)

// New returns a server for a configuration, and reads the files that it names. It opens the storage root and binds
// nothing yet.
func New(loaded *config.Loaded, o Options) (*Server, error) {
	cache := passhash.NewCache(cachedLogins)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.Logger = slog.New(safelog.Handler(o.Logger.Handler())) // before anything is logged
	if o.Observer == nil {
		o.Observer = observe.Nop{}
	}
	first, err := newSettings(loaded, cache, o.Logger, nil)
	if err != nil {
		return nil, err
	}
	root, err := storage.NewLocal(first.cfg.Storage.Root)
	if err != nil {
		return nil, fmt.Errorf("storage.root: %w", err)
	}
	var backend storage.Backend = root
	if o.Storage != nil {
		backend = o.Storage(root)
	}
	s := &Server{
		log:          o.Logger,
		failureDelay: cmp.Or(o.FailureDelay, defaultFailureDelay),
		replyTimeout: cmp.Or(o.ReplyTimeout, defaultReplyTimeout),
		observer:     o.Observer,
		resources:    o.Resources,
		deflates:     fair.New(budget.MostDeflates),
		cache:        cache,
		unused:       newUnusedLog(),
		storage:      backend,
		quota:        quota.New(func(home string) (storage.FS, error) { return backend.Home(home, false) }, o.Logger),
		bans:         bans.New(nil),
		shaper:       bandwidth.New(),
		headers:      proxy.NewReader(proxy.Timeout, proxy.MaxPending),
		watchdog:     newWatchdog(),
		listeners:    map[net.Listener]struct{}{},
		sessions:     map[*session]struct{}{},
		noSessions:   make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.resolver, s.overrides = advertise.New(s.log), advertise.NewOverrides(s.log)
	s.podAddress = advertise.NewFile(podAddressFile(first.cfg), s.log)
	s.apply(first)
	s.observer.ConfigLoaded(true)
	s.tellIgnored(first, nil)
	s.waitForPorts("the passive ports are not bound yet")
	return s, nil
}

// start binds the passive ports and begins the background work, the first time it is called.
func (s *Server) start() error {
	s.startOnce.Do(func() {
		cfg := s.settings.Load().cfg
		if cfg.Passive.PortsFile == "" {
			if s.startErr = s.bindPorts(cfg.Passive.Ports); s.startErr != nil {
				return
			}
		} else {
			s.background.Go(func() { s.awaitPortsFile(cfg.Passive.PortsFile) })
			s.background.Go(func() { s.podAddress.Run(s.ctx) })
		}
		s.background.Go(func() { s.resolver.Run(s.ctx) })
		s.background.Go(func() { s.overrides.Run(s.ctx) })
		s.background.Go(func() { s.sweep(s.ctx) })
		s.background.Go(func() { s.watchdog.run(s.ctx) })
		s.background.Go(func() { s.refreshTLS(s.ctx) })
	})
	return s.startErr
}

// pool is where passive ports come from. Sessions exist only once there is one.
func (s *Server) pool() *passive.Pool { return s.ports.Load() }

// advance goes on to a later phase. It returns false if the server is there or beyond already.
func (s *Server) advance(to phase) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now() >= to {
		return false
	}
	if s.now() < phaseRefusing && to >= phaseRefusing && len(s.sessions) == 0 {
		close(s.noSessions)
	}
	s.phase.Store(int32(to))
	return true
}

// refusing reports whether the server is on its way out.
func (s *Server) refusing() bool { return s.now() >= phaseRefusing }

func (s *Server) now() phase { return phase(s.phase.Load()) }

// sweep removes what uploads left behind that died with an earlier process, beside the sessions.
func (s *Server) sweep(ctx context.Context) {
	removed, err := s.storage.Sweep(ctx)
	if removed > 0 {
		s.log.Info("removed leftovers of interrupted uploads", "files", removed)
		s.quota.Recount()
	}
	if err != nil && ctx.Err() == nil {
		s.log.Warn("can't remove all leftovers of interrupted uploads; trying again at the next start", "error", err)
	}
}
