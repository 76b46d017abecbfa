package manage

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Header is the name of a header that every request with a side effect must have, with any value. A web page can't
// add it to a request to another site.
const Header = "Ftpd-Admin"

// guard refuses requests from web pages in a browser on this machine, which can reach loopback, too: requests that
// name another host than this machine (DNS rebinding), requests from other sites, and requests with a side effect but
// without Header.
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

// ownHost reports whether a request names this machine as its host. On a Unix socket, which no browser can reach, any
// name is accepted.
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

// isLoopback reports whether a host, as in HOST:PORT, is a loopback address or localhost.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
