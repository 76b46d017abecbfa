package ftpd_test

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	ftptest.Dial(t, s.Addr).Talk(`
		S: 220 FTP server ready
		C: PWD
		S: 530 *
		C: PASS secret
		S: 503 *
		C: USER
		S: 501 Syntax: USER <name>
		C: user alice
		S: 331 *
		C: PASS wrong
		S: 530 *
		C: PASS secret
		S: 503 *
		C: USER alice
		S: 331 *
		C: NOOP
		S: 200 *
		C: PASS secret
		S: 230 *alice*ReadWrite*
		C: PASS secret
		S: 503 *
		C: ACCT staff
		S: 202 *
		C: PWD
		S: 257 "/" *
		C: QUIT
		S: 221 *
		S: EOF`)
	if len(s.Log.Lines("msg=audit", "event=login", "result=ok", "user=alice", "code=230")) != 1 || len(s.Log.Lines("event=logout", "user=alice", "why=quit")) != 1 {
		t.Error("login and logout were not logged once each")
	}
	if strings.Contains(s.Log.String(), "secret") || strings.Contains(s.Log.String(), "wrong") {
		t.Error("a password was logged")
	}
}

// Another USER must end the old login at once: no command may run with the rights of another user.
func TestUserAgain(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	ftptest.Login(t, s.Addr, "alice").Talk(`
		C: MKD sub
		S: 257 *
		C: CWD sub
		S: 250 *
		C: USER reader
		S: 331 *
		C: PWD
		S: 530 *
		C: PASS secret
		S: 230 *
		C: PWD
		S: 257 "/" *
		C: MKD other
		S: 550 *ReadOnly*`)
}

func TestRein(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	c.Talk(`
		C: OPTS MLST size;
		S: 200 *
		C: EPSV ALL
		S: 200 *
		C: REIN
		S: 220 *
		C: PWD
		S: 530 *
		C: USER alice
		S: 331 *
		C: PASS secret
		S: 230 *
		C: STAT
		S: ...
		S:  TYPE: ASCII*
		S: ...
		S: 211 *
		C: FEAT
		S: ...
		S:  MLST type*;size*;*
		S: ...
		S: 211 End`)
	c.PasvAddr() // REIN resets EPSV ALL
}

func TestTooManyFailures(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Dial(t, s.Addr)
	c.Reply()
	for range 4 {
		c.Must("USER nobody", "331")
		c.Must("PASS wrong", "530")
	}
	c.Talk(`
		C: USER alice
		S: 331 *
		C: PASS wrong
		S: 421 *
		S: EOF`)
	if n := len(s.Log.Lines("msg=audit", "event=login", "result=failed")); n != 5 {
		t.Errorf("%d failures were logged, want 5", n)
	}
}

func TestAnonymous(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Anonymous = config.Anonymous{Enabled: true, Home: "pub"} })
	s.Write(t, "pub/hello", "world")
	s.Write(t, "private", "x")
	for _, name := range []string{"anonymous", "ftp"} {
		c := ftptest.Login(t, s.Addr, name)
		if got := c.Get("RETR hello"); got != "world" {
			t.Errorf("got %q", got)
		}
		c.Must("DELE hello", "550")
		c.Must("SIZE ../private", "550")
	}

	closed := ftptest.Start(t)
	c := ftptest.Dial(t, closed.Addr)
	c.Reply()
	c.Must("USER anonymous", "331")
	c.Must("PASS me@example.com", "530")
}

// The name that a client gives itself must not be able to forge a line of the log.
func TestLogInjection(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Dial(t, s.Addr)
	c.Reply()
	c.Must("USER x\rlevel=INFO msg=login user=root", "331")
	c.Must("PASS wrong", "530")
	for _, line := range s.Log.Lines("root") {
		if strings.Contains(line, "\r") || strings.Contains(line, "msg=login ") && !strings.Contains(line, `\r`) {
			t.Errorf("forged: %q", line)
		}
	}
}

func TestLoginTimeout(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Timeouts.Login = config.Duration(3 * time.Second) })
	ftptest.Dial(t, s.Addr).Talk(`
		S: 220 *
		C: USER alice
		S: 331 *
		S: 421 No login in time*
		S: EOF`)
}

// At no level may the log show a secret, or contain text that controls a terminal.
func TestNoSecretsOrControlCharactersInTheLog(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	for _, command := range []string{
		"SITE PSWD hunter2 hunter3", "OPTS PASS hunter2", "XPAS hunter2", "hunter2", "ACCT hunter2",
		"CLNT a\x1b[31m\u202eb\xff", "CWD \x1b]0;x\x07\u2066", "HELP \u202e", "OPTS MLST \x1b;",
	} {
		c.Do(command)
	}
	c.Do("USER hunter2")
	c.Must("QUIT", "221")
	ftptest.Eventually(t, "all is logged", func() bool { return len(s.Log.Lines("verb=QUIT")) > 0 })
	log := s.Log.String()
	if strings.Contains(log, "hunter") {
		t.Errorf("a secret was logged:\n%s", log)
	}
	for line := range strings.Lines(log) {
		if !utf8.ValidString(line) || strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("logged %q", line)
		}
	}
}
