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

// ErrServerClosed is the error that Serve, ServeTLS and ListenAndServe return after Shutdown or Close.
var ErrServerClosed = errors.New("ftpd: server closed")

const (
	// cachedLogins is the number of verified passwords that are remembered.
	cachedLogins = 10000
	// defaultFailureDelay is the default of Options.FailureDelay.
	defaultFailureDelay = 500 * time.Millisecond
	// defaultReplyTimeout is the default of Options.ReplyTimeout.
	defaultReplyTimeout = 30 * time.Second
)

// Options are the settings of a Server that do not come from its configuration file. The zero value is useful.
type Options struct {
	// Logger receives a line for each login, logout, transfer and change, among others. Nil means slog.Default().
	Logger *slog.Logger
	// FailureDelay is the time by which the reply to a failed login is delayed. Zero means 500ms, a negative value no
	// delay.
	FailureDelay time.Duration
	// ReplyTimeout is the time for which a client may leave a reply unread before its session is ended. Zero means
	// 30s.
	ReplyTimeout time.Duration
	// Observer is notified of events, mostly for metrics. It may be nil.
	Observer observe.Observer
	// Resources are the memory and descriptors that the process may use; see budget.Find. They limit what the server
	// takes. The zero value means no limit.
	Resources budget.Available
	// Storage, if not nil, wraps the storage at storage.root; the server uses what it returns.
	Storage func(storage.Backend) storage.Backend
}

// Server is an FTP server. New makes one.
type Server struct {
	log          *slog.Logger
	failureDelay time.Duration
	replyTimeout time.Duration
	observer     observe.Observer

	settings  atomic.Pointer[settings]
	resources budget.Available
	bounding  sync.Mutex
	divided   bool // whether descriptors were divided; guarded by bounding
	bounds    atomic.Pointer[budget.Bounds]
	files     atomic.Pointer[budget.DescriptorPool] // nil: no limit, or the passive ports are not known yet
	deflates  *fair.Places                          // places for compressed transfers

	cache    *passhash.Cache
	resolver *advertise.Resolver
	// podAddress is the pod's own address; see config.PodAddressFile.
	podAddress *advertise.File
	// overrides holds the resolved addresses of passive.overrides.
	overrides *advertise.Overrides
	storage   storage.Backend
	quota     *quota.Registry
	bans      *bans.List
	counter   limits.Counter
	shaper    *bandwidth.Shaper
	headers   *proxy.Reader // reads the PROXY headers of control connections
	watchdog  *watchdog
	unused    *unusedLog

	ports     atomic.Pointer[passive.Pool] // nil until the passive ports are known and bound
	portsWait atomic.Pointer[string]       // why ports is nil; nil once it is not
	transfers atomic.Int64
	lastLogin atomic.Pointer[time.Time] // of any user; nil before the first login
	lastID    atomic.Uint64

	// ctx is cancelled by Close. background waits for the server's own goroutines; those of sessions are not among
	// them.
	ctx        context.Context
	cancel     context.CancelFunc
	background sync.WaitGroup
	startOnce  sync.Once
	startErr   error

	reloading sync.Mutex // held by Reload, so that one runs at a time; also guards implicit
	implicit  implicitPorts

	phase atomic.Int32 // of type phase; changed under mu

	mu           sync.Mutex
	listeners    map[net.Listener]struct{}
	sessions     map[*session]struct{}
	noSessions   chan struct{} // closed once the phase is phaseRefusing or later and no session is left
	rejectedHash string
	configError  string
}

// phase is a phase of a server's life.
type phase int32

const (
	phaseServing  phase = iota
	phaseLameDuck       // not ready any more; new sessions are still accepted
	phaseRefusing       // new sessions get 421; idle ones are ended
	phaseClosed
)

// New returns a server for a configuration, and reads the files that the configuration names. It opens the storage
// root but does not listen yet.
func New(loaded *config.Loaded, o Options) (*Server, error) {
	cache := passhash.NewCache(cachedLogins)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.Logger = slog.New(safelog.Handler(o.Logger.Handler())) // must come before anything is logged
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

// start binds the passive ports and starts the background goroutines. Only the first call does so; later calls return
// its error.
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

// pool returns the passive ports; nil until they are bound. Sessions exist only once they are.
func (s *Server) pool() *passive.Pool { return s.ports.Load() }

// advance moves the server to a later phase. It returns false if the server has already reached that phase.
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

// refusing reports whether the server refuses new sessions because it is shutting down.
func (s *Server) refusing() bool { return s.now() >= phaseRefusing }

func (s *Server) now() phase { return phase(s.phase.Load()) }

// sweep removes leftovers of uploads that a crash interrupted, while sessions are served.
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
