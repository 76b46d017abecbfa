package ftpd

import (
	"github.com/ftp-operator/ftp-operator/ftpd/budget"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptls"
	"github.com/ftp-operator/ftp-operator/ftpd/passive"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// Stats are what can be counted of a Server at any time.
type Stats struct {
	// Sessions that are open, and those of them, PreLogin, in which nobody is logged in.
	Sessions, PreLogin int
	// Passive is the pool of passive ports; zero until they are bound.
	Passive passive.Stats
	// Bans in force.
	Bans int
	// Certificates in force; TLSFilesBad when their files, as they are now, can't be used.
	Certificates []ftptls.Certificate
	TLSFilesBad  bool
	// Resources are what the server may have. MaxSessions is how many sessions there may be by configuration and memory; 0 without a bound.
	Resources   budget.Bounds
	MaxSessions int
	// ConfigHash is config.Hash of the file in force.
	ConfigHash string
	// ConfigIgnored is how many keys and values of it this daemon does not know.
	ConfigIgnored int
	// Ready and Draining are as in config.Status.
	Ready, Draining bool
}

// Stats counts.
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

// Disk describes the file system of the storage. It may wait for as long as that takes to answer.
// errors.ErrUnsupported: there is none.
func (s *Server) Disk() (storage.Disk, error) { return storage.DiskOf(s.storage) }

// UserQuota is the quota of a user.
type UserQuota struct {
	User string
	storage.Quota
	// Counted: what is used is known. It is once the user has logged in.
	Counted bool
}

// Quotas are those of the users that have one, in the configuration's order; anonymous ones count
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
