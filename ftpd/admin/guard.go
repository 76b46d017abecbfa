package admin

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Header must be there, with any value, in a request that changes something. A page in a browser
// can't add it to a request for another site.
const Header = "Ftpd-Admin"

// guard keeps out pages that a browser on this machine shows, which can reach loopback too: what is
// asked for under another name than this machine's own (DNS rebinding), what comes from another
// site, and changes without Header.
func guard(next http.Handler) http.Handler {
	sameOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		safe := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch {
		case !ownHost(r):
			fail(w, http.StatusForbidden, "the API is asked for as localhost, 127.0.0.1 or [::1] only")
		case sameOrigin.Check(r) != nil, r.Header.Get("Sec-Fetch-Site") == "cross-site":
			fail(w, http.StatusForbidden, "the API does not serve other sites' pages")
		case !safe && r.Header.Get(Header) == "":
			fail(w, http.StatusForbidden, "a request that changes something needs the header "+Header+", as in "+Header+": yes")
		default:
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Cache-Control", "no-store")
			next.ServeHTTP(w, r)
		}
	})
}

// ownHost reports whether a request names this machine as such. On a Unix socket, which no browser
// reaches, the name means nothing.
func ownHost(r *http.Request) bool {
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && local.Network() == "unix" {
		return true
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return isLoopback(strings.Trim(host, "[]"))
}

// isLoopback reports whether a host, as in HOST:PORT, is this machine by the way that never leaves it.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
