package ftpd

import (
	"slices"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// cmdHost names the server that the client wants (RFC 7151). There is one here, which may have
// several names; what HOST gives chooses the certificate of a client that sends no server name.
func (s *session) cmdHost(arg string) {
	if s.login != nil {
		s.reply(503, "You are logged in: HOST must come before USER.")
		return
	}
	host, err := wire.ParseHost(arg, config.IsHostName)
	switch {
	case err != nil:
		s.reply(501, "Not understood: "+err.Error()+".")
	case !s.servesHost(host):
		s.reply(504, host.Name+" is not served here.")
	default:
		s.host, s.user = host.Name, ""
		if !s.hostFitsServerName() {
			s.host = ""
			s.reply(504, "TLS has begun for the server name "+s.control.ServerName+".")
			return
		}
		s.reply(220, s.settings().cfg.Greeting)
	}
}

// servesHost reports whether the name or the address is one of this server's.
func (s *session) servesHost(h wire.VirtualHost) bool {
	if h.Addr.IsValid() {
		return h.Addr == s.local.Addr().WithZone("") || h.Addr == s.srv.advertised(h.Addr.Is4())
	}
	names := s.settings().cfg.Hosts
	return len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return config.MatchHost(n, h.Name) })
}

// hostFitsServerName reports whether HOST and TLS's server name, where both were given, are the
// same (RFC 7151 section 3.2.2).
func (s *session) hostFitsServerName() bool {
	name := s.control.ServerName
	return s.tls == nil || name == "" || s.host == "" || config.MatchHost(name, s.host)
}
