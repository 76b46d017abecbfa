package ftpd

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/ftp-operator/ftp-operator/ftpd/budget"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptls"
	"github.com/ftp-operator/ftp-operator/ftpd/passive"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// Status returns the state of the server, for the operator and for people.
func (s *Server) Status() config.Status {
	st := config.Status{
		Reason:     s.Ready(),
		ConfigHash: s.settings.Load().hash,
		Ignored:    s.settings.Load().ignored,
		DataPeer:   s.settings.Load().cfg.DataPeer(),
		Transfers:  int(s.transfers.Load()),
		Resources:  s.resourceStatus(s.settings.Load().cfg),
	}
	st.Ready = st.Reason == ""
	if p := s.ports.Load(); p != nil {
		st.PassivePorts = p.Ports()
	}
	for _, want4 := range []bool{true, false} {
		if addr := s.advertised(want4); addr.IsValid() {
			st.AdvertisedIP = addr.String()
			break
		}
	}
	if err := errors.Join(s.resolver.Err(), s.overrides.Err()); err != nil {
		st.AddressError = err.Error()
	}
	if err := s.podAddress.Err(); err != nil {
		st.PodAddressError = err.Error()
	}
	if store := s.settings.Load().tls; store != nil {
		until := store.NotAfter()
		st.CertificateNotAfter = &until
		if err := store.Err(); err != nil {
			st.CertificateError = err.Error()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.RejectedHash, st.ConfigError = s.rejectedHash, s.configError
	st.Draining = s.now() != phaseServing
	st.Sessions = len(s.sessions)
	return st
}

// Handler returns an HTTP handler for GET requests: /healthz (200 unless the process hangs), /readyz (200, or 503
// with the reason) and /status (config.Status as JSON).
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_ = s.Status() // takes the locks: a deadlocked server is not healthy
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if why := s.Ready(); why != "" {
			http.Error(w, why, http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s.Status()) // an error means that the client has gone
	})
	return mux
}

// Stats holds the values of a Server that can be read at any time, for metrics.
type Stats struct {
	// Sessions is the number of open sessions, and PreLogin the number of those in which no user is logged in.
	Sessions, PreLogin int
	// Passive describes the pool of passive ports; zero until the ports are bound.
	Passive passive.Stats
	// Bans is the number of bans in force.
	Bans int
	// Certificates are the certificates in force. TLSFilesBad says whether their files, as they are now, can't be
	// used.
	Certificates []ftptls.Certificate
	TLSFilesBad  bool
	// Resources are the resources of the server. MaxSessions is the number of sessions that configuration and memory
	// allow; 0 means no limit.
	Resources   budget.Bounds
	MaxSessions int
	// ConfigHash is config.Hash of the configuration file in force.
	ConfigHash string
	// ConfigIgnored is the number of keys and values of that file that this daemon does not know.
	ConfigIgnored int
	// Ready and Draining are the same as in config.Status.
	Ready, Draining bool
}

// Stats returns the present values.
func (s *Server) Stats() Stats {
	current := s.settings.Load()
	counts := s.counter.Counts()
	stats := Stats{
		Sessions: counts.Sessions, PreLogin: counts.PreLogin,
		Bans:      s.bans.Active(),
		Resources: s.Resources(), MaxSessions: s.maxSessions(current.cfg),
		ConfigHash: current.hash, ConfigIgnored: len(current.ignored),
		Ready:    s.Ready() == "",
		Draining: s.now() != phaseServing,
	}
	if pool := s.pool(); pool != nil {
		stats.Passive = pool.Stats()
	}
	if current.tls != nil {
		stats.Certificates, stats.TLSFilesBad = current.tls.Certificates(), current.tls.Err() != nil
	}
	return stats
}

// Disk describes the file system of the storage. It blocks until the file system answers. The error is
// errors.ErrUnsupported if there is no file system.
func (s *Server) Disk() (storage.Disk, error) { return storage.DiskOf(s.storage) }

// UserQuota is the quota of a user and what is used of it.
type UserQuota struct {
	User string
	storage.Quota
	// Counted says whether the usage is known. It is once the user has logged in.
	Counted bool
}

// Quotas returns the quotas of all users that have one, in the order of the configuration. All anonymous users count
// as one.
func (s *Server) Quotas() []UserQuota {
	var all []UserQuota
	add := func(user, home string, limit config.Quota) {
		if limit == (config.Quota{}) {
			return
		}
		q := UserQuota{User: user, Quota: storage.Quota{LimitBytes: limit.Bytes, LimitFiles: limit.Files}}
		q.UsedBytes, q.UsedFiles, q.Counted = s.quota.Used(home)
		all = append(all, q)
	}
	cfg := s.settings.Load().cfg
	for _, u := range cfg.Users {
		add(u.Name, u.Home, u.Quota)
	}
	if cfg.Anonymous.Enabled {
		add(config.AnonymousNames[0], cfg.Anonymous.Home, cfg.Anonymous.Quota)
	}
	return all
}

// notReady returns why the server can't serve sessions, or "" if it can.
func (s *Server) notReady() string {
	passiveCfg := s.settings.Load().cfg.Passive
	if why := s.portsWait.Load(); why != nil {
		return *why
	}
	if !passiveCfg.RequireAddress || s.advertised(true).IsValid() || s.advertised(false).IsValid() {
		return ""
	}
	if passiveCfg.AdvertisedAddress == "" {
		return "the address to advertise is not known yet"
	}
	return "the address to advertise, " + passiveCfg.AdvertisedAddress + ", could not be resolved yet"
}

// Ready returns why the server is not ready, as /readyz does, or "" if it is. The server stops being ready when
// Shutdown is called, even though it still accepts sessions for a while.
func (s *Server) Ready() string {
	if s.now() != phaseServing {
		return "draining"
	}
	return s.notReady()
}
