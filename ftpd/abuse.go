package ftpd

import (
	"log/slog"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/bans"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

const (
	// freeUnknown is the number of unknown commands of a session that do not count as abuse: clients try commands
	// that a server might know.
	freeUnknown = 10
	// freeReservations is the number of passive ports that a session may ask for, without a transfer command in
	// between, before each further one counts as abuse: clients try EPSV and then PASV, or change their minds.
	freeReservations = 10
)

// offences holds what a session has done that may be abuse.
type offences struct {
	unknown      int    // number of unknown commands while no user was logged in
	reservations int    // number of passive ports asked for since the last transfer command
	weight       uint32 // sum of the offences' weights; used only while addresses are hidden
}

// Bans returns the bans in force.
func (s *Server) Bans() []bans.Ban { return s.bans.Bans() }

// Unban ends the ban of a subject; bans.Address and bans.User make subjects. It reports whether there was such a ban.
func (s *Server) Unban(who bans.Subject) bool { return s.bans.Unban(who) }

// hidden reports whether the daemon sees another address than the client's own, so that addresses identify no client.
func (s *session) hidden() bool { return s.settings().cfg.AddressesHidden() }

// banSubject returns the subject that a failed login as the user counts against: the client's address, or the user
// name if addresses are hidden.
func (s *session) banSubject(user string) bans.Subject {
	if s.hidden() {
		return bans.User(user)
	}
	return bans.Address(s.origin.Peer.Addr())
}

// banned reports whether the client's address has been banned since the client connected. It is false if addresses
// are hidden.
func (s *session) banned() bool {
	if s.hidden() {
		return false
	}
	_, banned := s.srv.bans.Banned(bans.Address(s.origin.Peer.Addr()))
	return banned
}

// errExpelled is the refusal that ends the session of a banned client.
var errExpelled = refuse(421, "Too many failed logins or too much abuse from your address; try again later.")

// expelBanned returns errExpelled if the client's address has been banned since the client connected. It is called
// before logins and before data connections are agreed upon.
func (s *session) expelBanned() error {
	if s.banned() {
		return errExpelled
	}
	return nil
}

// logIfBegun returns begun, and logs the ban if begun is true.
func (s *session) logIfBegun(ban bans.Ban, begun bool) bool {
	if begun {
		s.srv.logBan(s.log, ban, s.tls != nil)
	}
	return begun
}

// logBan counts and logs a new ban. encrypted says whether the control connection carries TLS.
func (s *Server) logBan(log *slog.Logger, ban bans.Ban, encrypted bool) {
	s.observer.Banned(ban.Reason)
	auditLine(log, slog.LevelWarn, "ban", resultOK, 0, encrypted, []slog.Attr{
		slog.String("subject", wire.LoggableText(ban.Subject.String())), slog.String("reason", ban.Reason.String()),
		slog.Int("count", ban.Count), slog.Duration("duration", time.Until(ban.Until).Round(time.Second)),
	})
}

// report counts an offence. It reports whether the client has reached the limit: its address is banned from now on,
// or, if addresses are hidden, the session's own offences weigh enough.
func (s *session) report(e bans.Event) bool {
	if !s.hidden() {
		return s.logIfBegun(s.srv.bans.Report(bans.Address(s.origin.Peer.Addr()), e))
	}
	s.weight += bans.Weight(e)
	most := s.srv.bans.Threshold()
	return most > 0 && s.weight >= most
}

// reportOrExpel counts an offence, and returns errExpelled if the client has reached the limit.
func (s *session) reportOrExpel(e bans.Event) error {
	if s.report(e) {
		return errExpelled
	}
	return nil
}

// unknownCommand counts an unknown command. Those of a logged-in user do not count: old devices send many unknown
// commands without malice, and each costs only a log line.
func (s *session) unknownCommand() error {
	if s.login != nil {
		return nil
	}
	if s.unknown++; s.unknown > freeUnknown {
		return s.reportOrExpel(bans.UnknownCommand)
	}
	return nil
}

// countReservation counts a passive port that the session asks for. It returns errExpelled if the client is banned,
// or has now reached the limit of abuse.
func (s *session) countReservation() error {
	if err := s.expelBanned(); err != nil {
		return err
	}
	if s.reservations++; s.reservations > freeReservations {
		return s.reportOrExpel(bans.IdleReservation)
	}
	return nil
}
