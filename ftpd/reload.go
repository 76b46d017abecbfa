package ftpd

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/auth"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptls"
	"github.com/ftp-operator/ftp-operator/ftpd/proxy"
	"github.com/ftp-operator/ftp-operator/ftpd/quota"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

// applyStorage applies the configuration to the storage.
func (s *Server) applyStorage(cfg *config.Config) {
	s.storage.Configure(storage.Options{NoSync: cfg.Storage.Durability == config.DurabilityNone})
	s.quota.SetLimits(quotas(cfg))
}

// quotas returns the quotas of the configuration by user name. Users without a quota are left out.
func quotas(cfg *config.Config) map[string]quota.Limit {
	limits := map[string]quota.Limit{}
	add := func(user string, q config.Quota) {
		if q != (config.Quota{}) {
			limits[user] = quota.Limit{Bytes: q.Bytes, Files: q.Files}
		}
	}
	for _, u := range cfg.Users {
		add(u.Name, u.Quota)
	}
	for _, name := range config.AnonymousNames {
		add(name, cfg.Anonymous.Quota)
	}
	return limits
}

// newSettings returns the settings of a configuration, and reads the files that it names. It reuses parts of before,
// the settings in force, where they did not change; before may be nil.
func newSettings(loaded *config.Loaded, cache *passhash.Cache, log *slog.Logger, before *settings) (*settings, error) {
	cfg := loaded.Config
	next := &settings{
		cfg:     cfg,
		ignored: loaded.Ignored,
		hash:    loaded.Hash,
		auth:    auth.New(cfg.Users, cfg.Anonymous, cache),

		proxy: proxy.NewPolicy(cfg.ProxyProtocol),
	}
	switch {
	case cfg.TLS == nil:
	case before != nil && before.tls != nil && before.tls.Serves(cfg.TLS):
		next.tls = before.tls // keeps what its files held when they were last valid
	default:
		var err error
		if next.tls, err = ftptls.Open(cfg.TLS, log); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// Reload replaces the configuration with that of a new file, or not at all: if the file is invalid, or differs in a
// static field, the old configuration stays in force and Reload returns the reason, which Status repeats.
//
// Sessions continue. Parameters take effect with a session's next command. A user who was removed, or whose home has
// changed, is logged out: the running transfer is aborted with 426, and the next command gets 421. A changed password
// alone ends no session.
func (s *Server) Reload(file []byte) error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	before := s.settings.Load()
	hash := config.Hash(file)
	if hash == before.hash {
		s.reject("", nil)
		return nil
	}
	var next *settings
	loaded, err := config.Load(file)
	if err == nil {
		next, err = newSettings(loaded, s.cache, s.log, before)
	}
	if err == nil {
		if static := config.StaticChanges(before.cfg, next.cfg); len(static) > 0 {
			err = fmt.Errorf("%s can't change while the daemon runs: restart it", strings.Join(static, ", "))
		}
	}
	var fresh map[string]net.Listener
	if err == nil {
		fresh, err = s.implicit.listen(next.cfg)
	}
	if err != nil {
		if s.reject(hash, err) { // the caller may retry the same file again and again: count and log it once
			s.observer.ConfigLoaded(false)
			s.log.Error("configuration refused; the old one goes on serving", "hash", hash, "error", err)
		}
		return err
	}
	s.observer.ConfigLoaded(true)
	s.apply(next)
	s.serveImplicit(next.cfg, fresh)
	s.reject("", nil)
	s.recheckAll()
	s.log.Info("configuration in force", "hash", next.hash)
	s.tellIgnored(next, before)
	return nil
}

// tellIgnored logs the keys and values of a configuration that this daemon does not know, unless the configuration
// before had the same ones.
func (s *Server) tellIgnored(next, before *settings) {
	if len(next.ignored) > 0 && (before == nil || !slices.Equal(next.ignored, before.ignored)) {
		s.log.Warn("the configuration is for a newer version: what this daemon does not know of it is ignored",
			"hash", next.hash, "ignored", next.ignored)
	}
}

// Check returns an error if a configuration file is invalid. It is strict, as config.Parse is, and also reads the
// files that the configuration names.
func Check(file []byte) error {
	cfg, err := config.Parse(file)
	if err != nil || cfg.TLS == nil {
		return err
	}
	_, err = ftptls.Open(cfg.TLS, slog.New(slog.DiscardHandler))
	return err
}

func (s *Server) apply(next *settings) {
	s.applyStorage(next.cfg)
	s.resolver.Set(next.cfg.Passive.AdvertisedAddress)
	var addresses []string
	for _, o := range next.cfg.Passive.Overrides {
		addresses = append(addresses, o.Address)
	}
	s.overrides.Set(addresses)
	var proxies []config.Network
	if next.cfg.ProxyProtocol.Mode != config.ProxyOff {
		proxies = next.cfg.ProxyProtocol.Trusted
	}
	s.bans.Set(next.cfg.Bans, proxies)
	s.shaper.Set(next.cfg.Limits.Bandwidth)
	s.settings.Store(next)
	s.bound()
}

// reject records the hash of the file that was refused last, and why; "" and nil mean that the newest file is in
// force. It reports whether that differs from what was recorded before.
func (s *Server) reject(hash string, err error) bool {
	why := ""
	if err != nil {
		why = err.Error()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	news := s.rejectedHash != hash || s.configError != why
	s.rejectedHash, s.configError = hash, why
	return news
}

// settings is one configuration in force with what is made from it. It never changes; Reload replaces it.
type settings struct {
	cfg     *config.Config
	ignored []string // unknown keys and values of the file; see config.Load
	hash    string
	auth    *auth.Authenticator
	tls     *ftptls.Store // nil: no TLS

	proxy *proxy.Policy
}

// recheckAll makes every session look at the settings and the server's phase again.
func (s *Server) recheckAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.sessions {
		c.recheck()
	}
}

// tlsPoll is the interval at which the files of certificates are checked for changes.
const tlsPoll = 2 * time.Second

// refreshTLS reloads changed files of certificates into the settings in force, until ctx is cancelled.
func (s *Server) refreshTLS(ctx context.Context) {
	tick := time.NewTicker(tlsPoll)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if store := s.settings.Load().tls; store != nil {
				store.Refresh()
			}
		case <-ctx.Done():
			return
		}
	}
}
