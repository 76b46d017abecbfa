package ftpd

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

var errHost = errors.New("write HOST and a host name, an IPv4 address, or an IPv6 address in brackets; no port")

// virtualHost is the argument of HOST: a name or an address.
type virtualHost struct {
	name string
	addr netip.Addr // if it is an address
}

// parseHost reads the argument of HOST (RFC 7151 section 3.1); isName says what a host name is.
func parseHost(arg string, isName func(string) bool) (virtualHost, error) {
	arg = strings.TrimSpace(arg)
	if inner, bracket := strings.CutPrefix(arg, "["); bracket {
		inner, closed := strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		if !closed || err != nil || !addr.Is6() || addr.Zone() != "" {
			return virtualHost{}, errHost
		}
		return virtualHost{name: arg, addr: addr.Unmap()}, nil
	}
	if addr, err := netip.ParseAddr(arg); err == nil && addr.Is4() {
		return virtualHost{name: arg, addr: addr}, nil
	}
	if !isName(arg) {
		return virtualHost{}, errHost
	}
	return virtualHost{name: strings.ToLower(strings.TrimSuffix(arg, "."))}, nil
}

// cmdHost names the server that the client wants (RFC 7151). There is one here, which may have
// several names; what HOST gives chooses the certificate of a client that sends no server name.
func (s *session) cmdHost(arg string) {
	if s.login != nil {
		s.reply(503, "You are logged in: HOST must come before USER.")
		return
	}
	host, err := parseHost(arg, config.IsHostName)
	switch {
	case err != nil:
		s.reply(501, "Not understood: "+err.Error()+".")
	case !s.servesHost(host):
		s.reply(504, host.name+" is not served here.")
	default:
		s.host, s.user = host.name, ""
		if !s.hostFitsServerName() {
			s.host = ""
			s.reply(504, "TLS has begun for the server name "+s.control.ServerName+".")
			return
		}
		s.reply(220, s.settings().cfg.Greeting)
	}
}

// servesHost reports whether the name or the address is one of this server's.
func (s *session) servesHost(h virtualHost) bool {
	if h.addr.IsValid() {
		return h.addr == s.local.Addr().WithZone("") || h.addr == s.srv.advertised(h.addr.Is4())
	}
	names := s.settings().cfg.Hosts
	return len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return config.MatchHost(n, h.name) })
}

// hostFitsServerName reports whether HOST and TLS's server name, where both were given, are the
// same (RFC 7151 section 3.2.2).
func (s *session) hostFitsServerName() bool {
	name := s.control.ServerName
	return s.tls == nil || name == "" || s.host == "" || config.MatchHost(name, s.host)
}
