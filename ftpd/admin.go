package ftpd

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Status reports on the server.
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

// Handler serves, for GET: /healthz (200 while the process is not stuck), /readyz (200, or 503
// and the reason) and /status (config.Status as JSON).
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
		_ = json.NewEncoder(w).Encode(s.Status()) // an error is the client's, who went away
	})
	return mux
}
