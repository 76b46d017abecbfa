package ftpd

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/budget"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

// errNoMemory says that the server's memory does not suffice for another session.
var errNoMemory = errors.New("too many sessions for the server's memory")

// maxNamed is the largest number of users that a warning names.
const maxNamed = 5

// demand returns what a configuration needs of memory and descriptors.
func (s *Server) demand(cfg *config.Config) budget.Demand {
	ports := len(cfg.Passive.Ports)
	if pool := s.pool(); pool != nil { // the ports come from a file, or are bound already
		ports = len(pool.Ports())
	}
	d := budget.Demand{
		MaxSessions: cfg.Limits.MaxSessions, MaxPreLogin: cfg.Limits.MaxPreLogin,
		OwnHash: passhash.OwnMemory, Listeners: len(cfg.Listen) + ports + 2, // 2 for the HTTP listeners
		Proxied: cfg.ProxyProtocol.Mode != config.ProxyOff && cfg.ProxyProtocol.Mode != "",
	}
	if cfg.TLS != nil {
		d.Listeners += len(cfg.TLS.ImplicitListen)
	}
	for _, u := range cfg.Users {
		d.LargestHash = max(d.LargestHash, passhash.Memory(u.PasswordHash))
	}
	return d
}

// bound computes the limits that follow from the resources and the configuration, and puts them in force. It logs
// them once the passive ports are known, and again when they change. Descriptors are divided only once, when the
// ports are known; before that there are no sessions.
func (s *Server) bound() {
	s.bounding.Lock()
	defer s.bounding.Unlock()
	cfg := s.settings.Load().cfg
	b := budget.Compute(s.resources, s.demand(cfg))
	if b.GoLimit > 0 {
		if w := unverifiable(cfg, b); w != "" {
			b.Warnings = append(b.Warnings, w)
		}
		s.cache.Bound(b.HashesAtOnce, b.HashMemory)
		transfer.Bound(b.Buffers, b.Splices)
	}
	s.deflates.Resize(b.Deflates)
	s.headers.Bound(b.PendingHeaders)
	before := s.bounds.Swap(&b)
	pool := s.pool()
	if pool == nil {
		return
	}
	pool.BoundHeaders(b.PendingHeaders)
	first := !s.divided
	if first {
		s.divided = true
		s.files.Store(budget.NewDescriptorPool(b))
	}
	if s.resources == (budget.Available{}) || !first && reflect.DeepEqual(*before, b) {
		return
	}
	s.log.Info("resources", "memoryLimit", b.Memory, "goMemoryLimit", b.GoLimit, "hashMemory", b.HashMemory, "hashesAtOnce", b.HashesAtOnce,
		"maxSessions", s.maxSessions(cfg), "maxPreLogin", b.PreLogin, "largeBuffers", b.Buffers, "compressedTransfers", b.Deflates,
		"descriptorLimit", s.resources.Descriptors, "descriptors", b.Descriptors)
	for _, w := range b.Warnings {
		if first || !slices.Contains(before.Warnings, w) {
			s.log.Warn("resources are too small", "why", w)
		}
	}
}

// unverifiable returns a warning about users whose password hashes need more memory than there is; "" if there are
// none.
func unverifiable(cfg *config.Config, b budget.Bounds) string {
	var names []string
	largest, count := int64(0), 0
	for _, u := range cfg.Users {
		need := passhash.Memory(u.PasswordHash)
		if need <= b.HashMemory {
			continue
		}
		if count++; len(names) < maxNamed {
			names = append(names, u.Name)
		}
		largest = max(largest, need)
	}
	if count == 0 {
		return ""
	}
	if count > len(names) {
		names = append(names, fmt.Sprintf("%d others", count-len(names)))
	}
	return fmt.Sprintf("%s can't log in, since verifying their password hashes takes up to %d MiB, and there are %d MiB for hashes: "+
		"raise the memory limit (spec.template.resources.limits.memory) to at least %dMi, or hash the passwords again with less memory (as `ftpd hash` does)",
		strings.Join(names, ", "), largest>>20, b.HashMemory>>20, budget.LimitForHash(largest)>>20)
}

// maxSessions returns the number of sessions that configuration and memory allow; 0 means no limit.
func (s *Server) maxSessions(cfg *config.Config) int {
	most := s.bounds.Load().Sessions
	if cfg.Limits.MaxSessions > 0 && (most == 0 || cfg.Limits.MaxSessions < most) {
		most = cfg.Limits.MaxSessions
	}
	return most
}

// limits returns the limits of the configuration, lowered to what memory and descriptors allow at this moment.
func (s *Server) limits(cfg *config.Config) config.Limits {
	l := cfg.Limits
	l.MaxSessions = s.maxSessions(cfg)
	l.MaxPreLogin = min(l.MaxPreLogin, s.bounds.Load().PreLogin)
	if more, ok := s.files.Load().MoreSessions(); ok {
		if most := max(s.counter.Counts().Sessions+more, 1); l.MaxSessions == 0 || most < l.MaxSessions {
			l.MaxSessions = most
		}
	}
	return l
}

// takeSession takes the descriptors of a session that was already counted. It may fail although the counter had a
// place: sessions that were told to make room, and have not ended yet, still use memory and descriptors. Errors:
// errNoMemory, budget.ErrNoDescriptors.
func (s *Server) takeSession(files *budget.DescriptorPool) error {
	if most := s.bounds.Load().Sessions; most > 0 && s.counter.Counts().Sessions > most+most/4+1 {
		return errNoMemory
	}
	if !files.TakeSession() {
		return budget.ErrNoDescriptors
	}
	return nil
}

// scarce returns the reason why fewer sessions are allowed than the configuration says.
func (s *Server) scarce(cfg *config.Config) error {
	if most := s.maxSessions(cfg); most != cfg.Limits.MaxSessions && s.counter.Counts().Sessions >= most {
		return errNoMemory
	}
	return budget.ErrNoDescriptors
}

// fewLeaving is the number of evicted sessions that may stay open until their clients have read the reason.
const fewLeaving = 8

// pressed reports whether evicted sessions must be closed at once, without waiting for their clients.
func (s *Server) pressed() bool {
	b := s.bounds.Load()
	return (b.Sessions > 0 || b.Descriptors > 0) && s.counter.Counts().Leaving > fewLeaving
}

// Resources returns the resources of the server and the limits that follow from them.
func (s *Server) Resources() budget.Bounds { return *s.bounds.Load() }

// resourceStatus returns the resources for config.Status, which users and the operator read; nil if none are known.
func (s *Server) resourceStatus(cfg *config.Config) *config.ResourceStatus {
	if s.resources == (budget.Available{}) {
		return nil
	}
	b := s.bounds.Load()
	return &config.ResourceStatus{
		MemoryLimit: b.Memory, GoMemoryLimit: b.GoLimit, HashMemory: b.HashMemory, HashesAtOnce: b.HashesAtOnce,
		MaxSessions: s.maxSessions(cfg), MaxPreLogin: b.PreLogin, CompressedTransfers: b.Deflates,
		DescriptorLimit: s.resources.Descriptors, Descriptors: b.Descriptors, Warnings: b.Warnings,
	}
}
