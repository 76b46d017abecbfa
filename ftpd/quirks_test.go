package ftpd_test

import (
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

// The odd input of old devices around a login, and blanks where none belong, must be accepted.
func TestLoginQuirks(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Dial(t, s.Addr)
	c.Talk("S: 220 *")
	for _, tt := range [][2]string{
		{"FEAT", "211"}, {"OPTS UTF8 ON", "200"}, {"opts utf8 on", "200"}, {"CLNT x", "200"}, {"SYST", "215"}, {"NOOP", "200"},
		{"PWD", "530"}, {"LIST", "530"},
	} {
		c.Must(tt[0], tt[1])
	}
	c.Send("user alice\n") // LF alone also ends a command
	c.Talk("S: 331 *")
	c.Send("pass " + ftptest.Password + "\n")
	c.Talk("S: 230 *")
	for _, segments := range [][]string{{"PWD\r\r\n"}, {"P", "WD\r", "\n"}} {
		for _, segment := range segments {
			c.Send(segment)
		}
		c.Talk(`S: 257 "/" *`)
	}
	for _, tt := range [][2]string{
		{"PASV ", "227"}, {"TYPE I ", "200"}, {"type i", "200"}, {"TYPE A N", "200"}, {"STRU F", "200"}, {"MODE S", "200"},
		{"TYPE I", "200"}, {"PWD ", "257"}, {"CDUP ", "250"}, {"SYST ", "215"}, {"NOOP ", "200"}, {"REST 0 ", "350"}, {"ALLO 0", "200"},
		{"ALLO 12 ", "200"}, {"HELP", "214"}, {"ACCT x", "202"}, {"EPSV ", "229"},
	} {
		c.Must(tt[0], tt[1])
	}
	s.Write(t, "alice/file", "content")
	for _, verb := range []string{"LIST ", "NLST ", "MLSD "} {
		if got := c.Get(verb); got == "" {
			t.Errorf("%q lists nothing", verb)
		}
	}
}

// Blanks must be part of a password, and not of a name that has none.
func TestBlanksInLogins(t *testing.T) {
	t.Parallel()
	hash, err := passhash.Hash(" two words ")
	if err != nil {
		t.Fatal(err)
	}
	spaced := ftptest.User("alice", "alice", config.AccessReadWrite)
	spaced.PasswordHash = hash
	s := ftptest.Start(t, func(c *config.Config) { c.Users = []config.User{spaced} })
	for _, tt := range [][3]string{
		{"alice", " two words ", "230"},
		{"alice ", " two words ", "530"},
		{" alice", " two words ", "530"},
		{"alice", "two words", "530"},
	} {
		c := ftptest.Dial(t, s.Addr)
		c.Talk("S: 220 *")
		c.Must("USER "+tt[0], "331")
		c.Must("PASS "+tt[1], tt[2])
	}
}
