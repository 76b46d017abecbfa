package ftpd

import (
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/auth"
)

// maxFailures is how many failed logins a session may have; the last of them ends it.
const maxFailures = 5

// cmdUser begins a login, over again if somebody is logged in (RFC 959 section 4.1.1). Whether
// the user exists is not told.
func (s *session) cmdUser(arg string) {
	if s.mustEncrypt() {
		s.reply(530, "Log in through TLS only: send AUTH TLS first.")
		return
	}
	s.logout("logged out")
	s.user = arg
	s.reply(331, "Password required.")
}

func (s *session) cmdPass(arg string) {
	if s.login != nil {
		s.reply(503, "You are logged in; begin with USER to log in as somebody else.")
		return
	}
	if s.user == "" {
		s.reply(503, "Send USER first.")
		return
	}
	name := s.user
	s.user = "" // a failed login begins again with USER
	current := s.settings()
	id, err := current.auth.Login(name, arg)
	if err != nil {
		s.loginFailed(name)
		return
	}
	view, err := s.srv.storage.Home(id.Home, true)
	if err != nil {
		s.log.Error("login failed: home can't be opened", "user", name, "home", id.Home, "error", err)
		s.reply(530, "Login failed: your home directory can't be opened; ask the server's operator.")
		return
	}
	s.login, s.loginSettings, s.fs = &id, current, view
	s.log = s.srv.sessionLog(s).With("user", id.Name)
	s.log.Info("login", "access", id.Access, "anonymous", id.Anonymous)
	s.reply(230, "Logged in as "+id.Name+"; your access is "+string(id.Access)+".")
}

func (s *session) loginFailed(name string) {
	s.failures++
	s.log.Warn("login failed", "user", name, "failures", s.failures)
	s.pause(s.srv.failureDelay)
	if s.failures >= maxFailures {
		s.reply(421, "Too many failed logins.")
		s.closing = true
		return
	}
	s.reply(530, "Login incorrect.")
}

// cmdAcct is superfluous here: no user has accounts beside his password.
func (s *session) cmdAcct(string) { s.reply(202, "Accounts are not used here.") }

// cmdRein ends the login and sets all parameters back (RFC 959 section 4.1.1).
// TLS ends too (RFC 4217 section 13), but for a connection on which it must be.
func (s *session) cmdRein(string) {
	s.dropData()
	s.logout("logged out")
	s.params = newParams()
	s.pbsz, s.private = s.implicit, s.implicit
	s.reply(220, s.settings().cfg.Greeting)
	if s.tls != nil && !s.implicit {
		s.endTLS()
	}
	if !s.implicit {
		s.bound, s.cleared = nil, false
	}
}

// cmdQuit ends the session, after the running transfer if there is one.
func (s *session) cmdQuit(string) {
	if s.transfer != nil {
		s.quitting = true
		return
	}
	s.bye()
}

func (s *session) bye() {
	s.logout("quit")
	s.reply(221, "Goodbye.")
	s.closing = true
}

// logout ends the login, if there is one. What the user had set stays, as RFC 959 wants it for
// USER, but for what refers to his files.
func (s *session) logout(why string) {
	s.user = ""
	if s.login == nil {
		return
	}
	s.log.Info("logout", "why", why)
	_ = s.fs.Close()
	s.login, s.loginSettings, s.fs = nil, nil, nil
	s.log = s.srv.sessionLog(s)
	s.cwd, s.restart, s.allocate = "/", 0, 0
	s.loginBy = time.Now().Add(s.settings().cfg.Timeouts.Login.Std())
}

// rights are the user's.
func (s *session) rights() auth.Rights { return s.login.Rights }
