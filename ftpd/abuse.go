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

// offences are counted against a session.
type offences struct {
	unknown      int    // unknown commands
	reservations int    // passive ports asked for since the last command that transfers
	weight       uint32 // of the offences, where there is no address to count them against
}

// Bans returns the bans in force.
func (s *Server) Bans() []bans.Ban { return s.bans.Bans() }

// Unban ends a ban; see bans.Address and bans.User. It reports whether there was one.
func (s *Server) Unban(who bans.Subject) bool { return s.bans.Unban(who) }

// hidden reports whether the peer's address is not the client's own.
func (s *session) hidden() bool { return s.settings().cfg.AddressesHidden() }

// banSubject is what failed logins as the user are counted against: the address, or else the name.
func (s *session) banSubject(user string) bans.Subject {
	if s.hidden() {
		return bans.User(user)
	}
	return bans.Address(s.peer.Addr())
}

// banned reports whether the client's address was banned after it had connected.
func (s *session) banned() bool {
	if s.hidden() {
		return false
	}
	_, banned := s.srv.bans.Banned(bans.Address(s.peer.Addr()))
	return banned
}

// errExpelled ends the session of a client that was banned.
var errExpelled = refuse(421, "Too many failed logins or too much abuse from your address; try again later.")

// expelBanned returns errExpelled if the client's address was banned meanwhile. It is asked before logins and data
// connections.
func (s *session) expelBanned() error {
	if s.banned() {
		return errExpelled
	}
	return nil
}

// logIfBegun logs a ban, if one has begun, and reports whether it has.
func (s *session) logIfBegun(ban bans.Ban, begun bool) bool {
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

// report counts an offence and reports whether that was one too many. Where addresses
// are hidden it only counts against the session.
func (s *session) report(e bans.Event) bool {
	if !s.hidden() {
		return s.logIfBegun(s.srv.bans.Report(bans.Address(s.peer.Addr()), e))
	}
	s.weight += bans.Weight(e)
	most := s.srv.bans.Threshold()
	return most > 0 && s.weight >= most
}

// reportOrExpel counts an offence, and returns errExpelled if that was one too many.
func (s *session) reportOrExpel(e bans.Event) error {
	if s.report(e) {
		return errExpelled
	}
	return nil
}

// unknownCommand counts an unknown command. A user that is logged in may send any: old devices send much that is
// unknown, without malice, and it costs a line.
func (s *session) unknownCommand() error {
	if s.login != nil {
		return nil
	}
	if s.unknown++; s.unknown > freeUnknown {
		return s.reportOrExpel(bans.UnknownCommand)
	}
	return nil
}

// countReservation counts a passive port that the session asks for. It returns errExpelled if that must not go on.
func (s *session) countReservation() error {
	if err := s.expelBanned(); err != nil {
		return err
	}
	if s.reservations++; s.reservations > freeReservations {
		return s.reportOrExpel(bans.IdleReservation)
	}
	return nil
}
