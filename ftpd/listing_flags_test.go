package ftpd_test

import (
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// A word with a dash must be a flag only if it has the form of one and no file has that name.
func TestNamesThatLookLikeFlags(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "-old/x", "x")
	s.Write(t, "-a b", "x")
	s.Write(t, "-R", "x")
	c := ftptest.Login(t, s.Addr, "alice")
	for command, want := range map[string][]string{
		"NLST -old":     {"-old/x"},
		"NLST -la -old": {"-old/x"},
		"NLST -d -old":  {"-old"},
		"NLST -a b":     {"-a b"},
		"NLST -l -a b":  {"-a b"},
		"NLST -R":       {"-R"},
		"NLST -la":      {"-R", "-a b", "-old"},
		"NLST -o*":      {"-old"},
	} {
		expect(t, command, lines(t, c.Get(command)), want...)
	}
	for _, command := range []string{"LIST -older", "NLST -2026", "LIST --nothing", "STAT -o"} {
		c.Data()
		c.Must(command, "550")
	}
}
