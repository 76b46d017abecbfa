package ftpd

import (
	"github.com/ftp-operator/ftp-operator/ftpd/auth"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/quota"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// openHome opens what a user sees of the storage, and makes his home if it is absent.
func (s *Server) openHome(id auth.Identity) (storage.FS, error) {
	view, err := s.storage.Home(id.Home, true)
	if err != nil {
		return nil, err
	}
	return s.quota.View(view, id.Name, id.Home), nil
}

// applyStorage has the storage do as the configuration says from now on.
func (s *Server) applyStorage(cfg *config.Config) {
	s.storage.Configure(storage.Options{NoSync: cfg.Storage.Durability == config.DurabilityNone})
	s.quota.SetLimits(quotas(cfg))
}

// quotas are the quotas of those who have one, by user name.
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
