// Package manage is the management API of a daemon: it lists sessions, bans and quotas, ends sessions and bans, starts
// the drain, and serves profiles. The API has no authentication, so Listen allows only loopback addresses and Unix
// sockets. docs/admin.md describes it. Begin reading at Handler; guard.go keeps out web pages. Of this module the
// package imports ftpd, ftpd/bans and ftpd/config.
package manage

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strconv"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/bans"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Server is the server to manage: an *ftpd.Server.
type Server interface {
	Status() config.Status
	Sessions() []ftpd.SessionInfo
	Kick(id uint64) bool
	Bans() []bans.Ban
	Unban(who bans.Subject) bool
	Quotas() []ftpd.UserQuota
}

// Ban is a ban in force. Either Network or User is set.
type Ban struct {
	// Network is the banned network: that of one IPv4 address, or an IPv6 /64.
	Network string `json:"network,omitempty"`
	User    string `json:"user,omitempty"`
	Reason  string `json:"reason"`
	// Count is the number of bans in a row, including this one.
	Count int       `json:"count"`
	Until time.Time `json:"until"`
}

// Quota is a user's quota and its usage.
type Quota struct {
	User string `json:"user"`
	// LimitBytes and LimitFiles are 0 if there is no limit.
	LimitBytes int64 `json:"limitBytes"`
	LimitFiles int64 `json:"limitFiles"`
	// Counted says whether the usage is known. It is once the user has logged in.
	Counted   bool  `json:"counted"`
	UsedBytes int64 `json:"usedBytes"`
	UsedFiles int64 `json:"usedFiles"`
}

// Handler returns the handler of the API. drain does what SIGTERM does; it may be called more than once.
func Handler(s Server, drain func()) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.Status()) })
	mux.HandleFunc("GET /v1/sessions", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"sessions": s.Sessions()})
	})
	mux.HandleFunc("DELETE /v1/sessions/{id}", func(w http.ResponseWriter, r *http.Request) { kick(w, r, s) })
	mux.HandleFunc("GET /v1/bans", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"bans": list(s.Bans())})
	})
	mux.HandleFunc("DELETE /v1/bans", func(w http.ResponseWriter, r *http.Request) { unban(w, r, s) })
	mux.HandleFunc("GET /v1/quotas", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"quotas": quotas(s.Quotas())})
	})
	mux.HandleFunc("POST /v1/drain", func(w http.ResponseWriter, _ *http.Request) {
		drain()
		w.WriteHeader(http.StatusAccepted)
	})
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return guard(mux)
}

func kick(w http.ResponseWriter, r *http.Request, s Server) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	switch {
	case err != nil:
		fail(w, http.StatusBadRequest, "a session is named by its number, as GET /v1/sessions tells it")
	case !s.Kick(id):
		fail(w, http.StatusNotFound, "there is no such session: it may have ended")
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// list returns the bans in the form of the API.
func list(in []bans.Ban) []Ban {
	out := make([]Ban, 0, len(in))
	for _, b := range in {
		ban := Ban{Reason: b.Reason.String(), Count: b.Count, Until: b.Until}
		if network, ok := b.Subject.Network(); ok {
			ban.Network = network.String()
		} else {
			ban.User = b.Subject.String()
		}
		out = append(out, ban)
	}
	return out
}

func unban(w http.ResponseWriter, r *http.Request, s Server) {
	who, err := subject(r.URL.Query().Get("network"), r.URL.Query().Get("user"))
	switch {
	case err != nil:
		fail(w, http.StatusBadRequest, err.Error())
	case !s.Unban(who):
		fail(w, http.StatusNotFound, "there is no such ban: it may be over")
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// subject returns the subject of a ban from exactly one of the two texts. An address means the network that would be
// banned for it.
func subject(network, user string) (bans.Subject, error) {
	if (network == "") == (user == "") {
		return bans.Subject{}, errors.New("name one ban: ?network=ADDRESS or ?user=NAME, as GET /v1/bans tells it")
	}
	if user != "" {
		return bans.User(user), nil
	}
	if p, err := netip.ParsePrefix(network); err == nil {
		return bans.Address(p.Addr()), nil
	}
	addr, err := netip.ParseAddr(network)
	if err != nil {
		return bans.Subject{}, errors.New("network is no address: write it as 192.0.2.7 or 2001:db8::/64")
	}
	return bans.Address(addr), nil
}

func quotas(in []ftpd.UserQuota) []Quota {
	out := make([]Quota, 0, len(in))
	for _, q := range in {
		out = append(out, Quota{
			User: q.User, LimitBytes: q.LimitBytes, LimitFiles: q.LimitFiles,
			Counted: q.Counted, UsedBytes: q.UsedBytes, UsedFiles: q.UsedFiles,
		})
	}
	return out
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // an error means that the client has gone
}

func fail(w http.ResponseWriter, code int, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": why}) //nolint:errchkjson // likewise
}
