package ftpd

import (
	"errors"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/auth"
	"github.com/ftp-operator/ftp-operator/ftpd/budget"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

// maxFailures is the number of failed logins after which a session is ended.
const maxFailures = 5

// cmdUser starts a login, and first logs out a user that is logged in (RFC 959 section 4.1.1). The reply does not
// reveal whether the user exists.
func (s *session) cmdUser(arg string) error {
	if s.mustEncrypt() {
		return refuse(530, "Log in through TLS only: send AUTH TLS first.")
	}
	s.logout("logged out")
	s.user = arg
	return s.answer(331, "Password required.")
}

func (s *session) cmdPass(arg string) error {
	if s.login != nil {
		return refuse(503, "You are logged in; begin with USER to log in as somebody else.")
	}
	if s.user == "" {
		return refuse(503, "Send USER first.")
	}
	name := s.user
	s.user = "" // after a failed login the client must send USER again
	// While it waits here the session may be ended to make room for others; see package limits.
	leave, err := s.srv.bans.Enter(s.ctx, s.banSubject(name))
	if err != nil {
		return nil // the session ends, and its end has its own reply
	}
	defer leave()
	paced, err := s.pace(name, arg)
	if err != nil || s.ctx.Err() != nil {
		return err
	}
	current := s.refresh()       // a reload may have changed the settings during the wait
	s.lease.Authenticating(true) // it keeps its place among the sessions meanwhile: password checks may queue
	id, err := current.auth.Login(s.ctx, name, arg)
	s.lease.Authenticating(false)
	switch {
	case err != nil && s.ctx.Err() != nil:
		return nil //nolint:nilerr // the session ends, which has its own reply
	case errors.Is(err, passhash.ErrTooLarge): // the client sees the same reply as for a wrong password
		s.srv.observer.Login(observe.LoginUnverifiable)
		return s.loginFailed(name, arg, "the password can't be verified: "+passhash.ErrTooLarge.Error()+"; raise the memory limit (spec.template.resources.limits.memory), or hash the password again with less memory",
			"Login incorrect.", leave)
	case err != nil:
		s.srv.observer.Login(observe.LoginIncorrect)
		return s.loginFailed(name, arg, "login incorrect", "Login incorrect.", leave)
	}
	if err := s.expelBanned(); err != nil { // the address was banned while this login waited
		return err
	}
	if !paced {
		if _, err := s.pace(name, arg); err != nil || s.ctx.Err() != nil {
			return err
		}
	}
	return s.admitUser(id, current)
}

// pace refuses a login from a banned address. If addresses are hidden, it delays a login of a banned user name until
// its turn. paced reports whether there was such a ban. If pace returns an error, which is the command's refusal, or
// the session's context has ended, the caller must not go on with the login.
func (s *session) pace(name, password string) (paced bool, err error) {
	if err := s.expelBanned(); err != nil {
		return true, err
	}
	_, paced = s.srv.bans.Banned(s.banSubject(name))
	wait, ok := s.srv.bans.Delay(s.banSubject(name))
	if !ok {
		s.srv.observer.Login(observe.LoginBanned)
		return true, s.loginFailed(name, password, "too many logins of a banned user name are waiting", "Too many failed logins of this user; try again later.", func() {})
	}
	s.pause(wait)
	return paced || wait > 0, nil
}

// admitUser completes the login of a user whose password was correct.
func (s *session) admitUser(id auth.Identity, current *settings) error {
	if !s.held.Of.EnterHome(id.Home) {
		s.srv.observer.Login(observe.LoginLimited)
		s.auditDenial(id.Name, 530, budget.ErrNoDescriptors.Error())
		return refuse(530, "Login refused: "+budget.ErrNoDescriptors.Error()+"; try again later.")
	}
	view, err := s.srv.openHome(id)
	if err != nil {
		s.held.Of.LeaveHome(id.Home)
		s.srv.observer.Login(observe.LoginNoHome)
		s.auditDenial(id.Name, 530, "home "+id.Home+" can't be opened: "+err.Error())
		return refuse(530, "Login failed: your home directory can't be opened; ask the server's operator.")
	}
	if err := s.lease.Login(account(id), &current.cfg.Limits); err != nil {
		_ = view.Close()
		s.held.Of.LeaveHome(id.Home)
		s.srv.observer.Login(observe.LoginLimited)
		s.auditDenial(id.Name, 530, err.Error())
		return refuse(530, "Login refused: "+err.Error()+"; end another one, or try again later.")
	}
	now := time.Now()
	s.login = &login{Identity: id, settings: current, fs: view, rates: s.srv.shaper.Session(account(id)), since: now}
	s.srv.lastLogin.Store(&now)
	s.log = s.srv.sessionLog(s).With("user", id.Name)
	s.srv.observer.Login(observe.LoginOK)
	s.auditLogin(230)
	s.activity.login(id.Name, id.Anonymous, now)
	return s.answer(230, "Logged in as "+id.Name+"; your access is "+id.AccessText()+".")
}

// account returns the name that limits count an identity under. All anonymous users share one name.
func account(id auth.Identity) string {
	if id.Anonymous {
		return config.AnonymousNames[0]
	}
	return id.Name
}

// loginFailed counts a failed login, calls counted, and pauses to make guessing slow. It returns the refusal, or nil
// if the session ends during the pause.
func (s *session) loginFailed(name, password, why, text string, counted func()) error {
	s.failures++
	code := 530
	if s.failures >= maxFailures {
		code, text = 421, "Too many failed logins."
	}
	s.auditDenial(name, code, why)
	banned := s.logIfBegun(s.srv.bans.ReportLogin(s.banSubject(name), name, password))
	counted()
	s.pause(s.srv.failureDelay)
	switch {
	case banned && !s.hidden(), s.banned():
		return errExpelled
	case s.ctx.Err() != nil:
		return nil //nolint:nilerr // the session ends, which has its own reply
	}
	return refuse(code, text)
}

// cmdAcct replies that ACCT is superfluous: users have no accounts besides their passwords.
func (s *session) cmdAcct(string) error { return s.answer(202, "Accounts are not used here.") }

// cmdRein logs the user out and resets all parameters (RFC 959 section 4.1.1). It also ends TLS (RFC 4217 section
// 13), except on a connection of implicit FTPS.
func (s *session) cmdRein(string) error {
	s.dropData(observe.UnusedSessionEnded)
	s.logout("logged out")
	s.params = newParams()
	s.pbsz, s.private = s.implicit, s.implicit
	s.speak(false)
	s.reply(220, s.settings().cfg.Greeting)
	if s.tls != nil && !s.implicit {
		s.endTLS()
	}
	if !s.implicit {
		s.bound, s.cleared = nil, false
	}
	return nil
}

// cmdQuit ends the session; if a transfer runs, after its end.
func (s *session) cmdQuit(string) error {
	if s.transfer != nil {
		s.intake = intakeQuitting
		return nil
	}
	s.bye()
	return nil
}

func (s *session) bye() {
	s.logout("quit")
	s.conn.Closing.Store(true)
	s.reply(221, "Goodbye.")
	s.closeIntake()
}

// logout logs the user out, if one is logged in. The parameters stay in force, as RFC 959 demands for USER, except
// those that refer to the user's files.
func (s *session) logout(why string) {
	s.user = ""
	if s.login == nil {
		return
	}
	s.auditLogout(why)
	s.activity.login("", false, time.Time{})
	s.lease.Logout()
	s.login.rates.Close()
	_ = s.login.fs.Close()
	s.held.Of.LeaveHome(s.login.Home)
	s.login = nil
	s.log = s.srv.sessionLog(s)
	s.cwd, s.restart, s.allocate = "/", 0, 0
	s.loginBy = time.Now().Add(s.settings().cfg.Timeouts.Login.Std())
}

// rights returns the rights of the logged-in user.
func (s *session) rights() auth.Rights { return s.login.Rights }

// openHome opens the user's view of the storage, and creates the home directory if it does not exist.
func (s *Server) openHome(id auth.Identity) (storage.FS, error) {
	view, err := s.storage.Home(id.Home, true)
	if err != nil {
		return nil, err
	}
	return s.quota.View(view, id.Name, id.Home), nil
}
