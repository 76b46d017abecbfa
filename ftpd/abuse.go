package ftpd

import (
	"log/slog"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/bans"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

const (
	// freeUnknown is how many unknown commands of a session do not count: clients try what a
	// server might know.
	freeUnknown = 10
	// freeReservations is how many passive ports a session may ask for, without a command that
	// uses one, before it counts: clients try EPSV and then PASV, or change their minds.
	freeReservations = 10
)

// conduct is what speaks against a session.
type conduct struct {
	unknown      int    // unknown commands
	reservations int    // passive ports asked for since the last command that transfers
	misdeeds     uint32 // weights, where there is no address to count them against
}

// Bans returns the bans in force.
func (s *Server) Bans() []bans.Ban { return s.bans.Bans() }

// Unban ends a ban; see bans.Address and bans.User. It reports whether there was one.
func (s *Server) Unban(who bans.Subject) bool { return s.bans.Unban(who) }

// hidden reports whether the peer's address is not the client's own.
func (s *session) hidden() bool { return s.settings().cfg.AddressesHidden() }

// suspect is who failed logins as the user are counted against: the address, or else the name.
func (s *session) suspect(user string) bans.Subject {
	if s.hidden() {
		return bans.User(user)
	}
	return bans.Address(s.peer.Addr())
}

// banned ends a session whose address was banned after it had connected, when it wants what only
// the welcome get: another login, or a data connection.
func (s *session) banned() bool {
	if s.hidden() {
		return false
	}
	if _, banned := s.srv.bans.Banned(bans.Address(s.peer.Addr())); !banned {
		return false
	}
	s.expel()
	return true
}

// expel ends the session.
func (s *session) expel() {
	s.reply(421, "Too many failed logins or too much abuse from your address; try again later.")
	s.closeIntake()
}

// begun logs a ban, if one has begun, and reports whether it has.
func (s *session) begun(ban bans.Ban, begun bool) bool {
	if begun {
		s.srv.logBan(s.log, ban, s.tls != nil)
	}
	return begun
}

// logBan counts and logs a ban that has begun. encrypted: the control connection carries TLS.
func (s *Server) logBan(log *slog.Logger, ban bans.Ban, encrypted bool) {
	s.observer.Banned(ban.Reason)
	auditLine(log, slog.LevelWarn, "ban", resultOK, 0, encrypted, []slog.Attr{
		slog.String("subject", wire.LoggableText(ban.Subject.String())), slog.String("reason", ban.Reason.String()),
		slog.Int("count", ban.Count), slog.Duration("duration", time.Until(ban.Until).Round(time.Second)),
	})
}

// misdeed counts abuse of the protocol and reports whether that was too much. Where addresses
// are hidden it only counts against the session.
func (s *session) misdeed(e bans.Event) bool {
	if !s.hidden() {
		return s.begun(s.srv.bans.Report(bans.Address(s.peer.Addr()), e))
	}
	s.misdeeds += bans.Weight(e)
	most := s.srv.bans.Threshold()
	return most > 0 && s.misdeeds >= most
}

// abuse is misdeed, and ends the session if that was too much.
func (s *session) abuse(e bans.Event) {
	if s.misdeed(e) {
		s.expel()
	}
}

// unknownCommand counts an unknown command. Who is logged in may send what he likes: old devices send much that is
// unknown, without malice, and it costs a line.
func (s *session) unknownCommand() {
	if s.login != nil {
		return
	}
	if s.unknown++; s.unknown > freeUnknown {
		s.abuse(bans.UnknownCommand)
	}
}

// reservation counts a passive port that the session asks for. It reports whether that may go on.
func (s *session) reservation() bool {
	if s.banned() {
		return false
	}
	if s.reservations++; s.reservations > freeReservations {
		s.abuse(bans.IdleReservation)
	}
	return !s.closed()
}
