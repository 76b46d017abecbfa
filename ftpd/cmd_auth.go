package ftpd

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// cmdAuth starts TLS on the control connection (RFC 4217 section 4). It resets the login and all parameters except
// HOST's, which chooses the certificate.
func (s *session) cmdAuth(arg string) error {
	store := s.settings().tls
	switch mechanism := strings.ToUpper(strings.TrimSpace(arg)); {
	case store == nil:
		return refuse(502, "TLS is not set up here.")
	case s.tls != nil || s.cleared:
		return refuse(503, "TLS was agreed upon already.")
	case mechanism != "TLS" && mechanism != "TLS-C" && mechanism != "SSL":
		return refuse(504, "Unknown mechanism: use AUTH TLS.")
	}
	s.forgetEarly()
	s.dropData(observe.UnusedSessionEnded)
	s.logout("AUTH")
	host := s.host
	s.params = newParams()
	s.host = host
	s.reply(234, "Begin the TLS handshake.")
	if s.beginTLS(store) && !s.hostFitsServerName() {
		return refuse(421, "The server name of TLS is not the name that HOST gave.")
	}
	return nil
}

// cmdPbsz accepts any buffer size. PBSZ must precede PROT, though TLS needs no buffer size (RFC 4217 section 9).
func (s *session) cmdPbsz(arg string) error {
	switch _, err := strconv.ParseUint(strings.TrimSpace(arg), 10, 32); {
	case s.tls == nil:
		return s.notSecured()
	case err != nil:
		return refuse(501, "Syntax: PBSZ 0")
	default:
		s.pbsz = true
		return s.answer(200, "PBSZ=0")
	}
}

// cmdProt sets whether data connections carry TLS. The transfer command checks whether they must (RFC 4217 section
// 10.2).
func (s *session) cmdProt(arg string) error {
	level := strings.ToUpper(strings.TrimSpace(arg))
	switch {
	case s.tls == nil:
		return s.notSecured()
	case !s.pbsz:
		return refuse(503, "Send PBSZ 0 first.")
	case level == "C":
		s.private = false
		return s.answer(200, "Data connections are in clear text.")
	case level == "P":
		s.private = true
		return s.answer(200, "Data connections are private.")
	case level == "S", level == "E":
		return refuse(536, "TLS knows no such level: use PROT P or PROT C.")
	default:
		return refuse(504, "Unknown level: use PROT P or PROT C.")
	}
}

// notSecured returns the refusal of a command that is allowed within TLS only. After CCC the protection of data
// connections stays as it is (RFC 4217 section 5).
func (s *session) notSecured() error {
	if s.cleared {
		return refuse(503, "After CCC this can't be changed.")
	}
	return refuse(503, "Send AUTH TLS first.")
}

// cmdCcc returns the control connection to clear text (RFC 4217 section 5). The level that PROT has set stays in force.
func (s *session) cmdCcc(string) error {
	cfg := s.settings().cfg.TLS
	switch {
	case s.tls == nil:
		return refuse(533, "The control connection carries no TLS.")
	case cfg == nil || !cfg.AllowCCC:
		return refuse(534, "Clear text is not allowed here.")
	case s.login == nil:
		return refuse(534, "Log in first: your password shall not be sent in clear text.")
	}
	s.reply(200, "Back to clear text.")
	if s.endTLS() {
		s.cleared = true
	}
	return nil
}

// ifTLS returns the FEAT line of a feature of RFC 4217, or "" if TLS is not configured.
func (s *session) ifTLS(line string) string {
	if s.settings().tls == nil {
		return ""
	}
	return line
}

func tlsFeature(line string) featureLine {
	return func(s *session) string { return s.ifTLS(line) }
}

func cccFeature(s *session) string {
	if cfg := s.settings().cfg.TLS; cfg == nil || !cfg.AllowCCC {
		return ""
	}
	return "CCC"
}

// cmdHost handles HOST, which names the server that the client wants (RFC 7151). This daemon is one server, which may
// have several names. HOST chooses the certificate for a client that sends no server name in TLS.
func (s *session) cmdHost(arg string) error {
	if s.login != nil {
		return refuse(503, "You are logged in: HOST must come before USER.")
	}
	host, err := wire.ParseHost(arg, config.IsHostName)
	switch {
	case err != nil:
		return refuse(501, "Not understood: "+err.Error()+".")
	case !s.servesHost(host):
		return refuse(504, host.Name+" is not served here.")
	default:
		s.host, s.user = host.Name, ""
		if !s.hostFitsServerName() {
			s.host = ""
			return refuse(504, "TLS has begun for the server name "+s.control.ServerName+".")
		}
		return s.answer(220, s.settings().cfg.Greeting)
	}
}

// servesHost reports whether the name or address is one of this server's. Every name is if the configuration lists
// none.
func (s *session) servesHost(h wire.VirtualHost) bool {
	if h.Addr.IsValid() {
		return h.Addr == s.origin.Local.Addr().WithZone("") || h.Addr == s.srv.advertised(h.Addr.Is4())
	}
	names := s.settings().cfg.Hosts
	return len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return config.MatchHost(n, h.Name) })
}

// hostFitsServerName reports whether the names given by HOST and by TLS (SNI) match (RFC 7151 section 3.2.2). It is
// true if the client gave only one of them.
func (s *session) hostFitsServerName() bool {
	name := s.control.ServerName
	return s.tls == nil || name == "" || s.host == "" || config.MatchHost(name, s.host)
}
