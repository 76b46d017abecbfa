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

// errNoMemory: the server's memory bears no more sessions.
var errNoMemory = errors.New("too many sessions for the server's memory")

// maxNamed bounds the users that a warning names.
const maxNamed = 5

// demand is what a configuration asks of memory and descriptors.
func (s *Server) demand(cfg *config.Config) budget.Demand {
	ports := len(cfg.Passive.Ports)
	if pool := s.pool(); pool != nil { // of a file
		ports = len(pool.Ports())
	}
	d := budget.Demand{
		MaxSessions: cfg.Limits.MaxSessions, MaxPreLogin: cfg.Limits.MaxPreLogin,
		OwnHash: passhash.OwnMemory, Listeners: len(cfg.Listen) + ports + 2, // and those for HTTP
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

// bound puts the bounds in force that follow from the resources and the configuration. It logs them once the passive
// ports are known, and when they change. Descriptors are divided once, when the ports are known; there are no sessions before.
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

// unverifiable is the warning about users who can't log in, or "".
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

// maxSessions is how many sessions there may be by configuration and memory; 0 without a bound.
func (s *Server) maxSessions(cfg *config.Config) int {
	most := s.bounds.Load().Sessions
	if cfg.Limits.MaxSessions > 0 && (most == 0 || cfg.Limits.MaxSessions < most) {
		most = cfg.Limits.MaxSessions
	}
	return most
}

// limits are those of the configuration, lowered to what memory and descriptors bear at this moment.
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

// TakeSession takes what a session needs, after it was counted: those that have to give way, and have not ended yet, take
// memory and descriptors too. Errors: errNoMemory, ErrNoDescriptors.
func (s *Server) takeSession(files *budget.DescriptorPool) error {
	if most := s.bounds.Load().Sessions; most > 0 && s.counter.Counts().Sessions > most+most/4+1 {
		return errNoMemory
	}
	if !files.TakeSession() {
		return budget.ErrNoDescriptors
	}
	return nil
}

// scarce is why there are fewer sessions than the configuration allows.
func (s *Server) scarce(cfg *config.Config) error {
	if most := s.maxSessions(cfg); most != cfg.Limits.MaxSessions && s.counter.Counts().Sessions >= most {
		return errNoMemory
	}
	return budget.ErrNoDescriptors
}

// fewLeaving is how many sessions that had to give way may stay until their clients have read why.
const fewLeaving = 8

// pressed reports whether sessions that have to give way must go at once.
func (s *Server) pressed() bool {
	b := s.bounds.Load()
	return (b.Sessions > 0 || b.Descriptors > 0) && s.counter.Counts().Leaving > fewLeaving
}

// Resources are what the server may have, and what follows.
func (s *Server) Resources() budget.Bounds { return *s.bounds.Load() }

// resourceStatus is Resources for people and for the operator; nil if nothing is known.
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
