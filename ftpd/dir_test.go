package ftpd_test

import (
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

func TestDirectories(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "file", "x")
	ftptest.Login(t, s.Addr, "alice").Talk(`
		C: MKD a
		S: 257 "/a" created*
		C: XMKD a/b "c"
		S: 257 "/a/b ""c""" created*
		C: MKD a
		S: 550 *
		C: MKD no/such
		S: 550 *
		C: CWD a/b "c"
		S: 250 *
		C: PWD
		S: 257 "/a/b ""c""" *
		C: CDUP
		S: 250 *
		C: XPWD
		S: 257 "/a" *
		C: XCUP
		S: 250 *
		C: CDUP
		S: 250 *
		C: PWD
		S: 257 "/" *
		C: CWD file
		S: 550 *
		C: CWD nowhere
		S: 550 *
		C: XCWD /a
		S: 250 *
		C: CWD ../../../..
		S: 250 *
		C: PWD
		S: 257 "/" *
		C: RMD a
		S: 550 *not empty*
		C: RMD file
		S: 550 *
		C: XRMD a/b "c"
		S: 250 *
		C: RMD a
		S: 250 *
		C: RMD a
		S: 550 *
		C: RMD /
		S: 550 *
		C: MKD
		S: 501 *
		C: CWD
		S: 501 *`)
}

func TestFiles(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "a", "A")
	s.Write(t, "dir/b", "B")
	ftptest.Login(t, s.Addr, "alice").Talk(`
		C: RNTO x
		S: 503 *
		C: RNFR nothing
		S: 550 *
		C: RNTO x
		S: 503 *
		C: RNFR a
		S: 350 *
		C: NOOP
		S: 200 *
		C: RNTO x
		S: 503 *
		C: RNFR a
		S: 350 *
		C: RNTO dir/c
		S: 250 *
		C: RNTO x
		S: 503 *
		C: RNFR dir
		S: 350 *
		C: RNTO tree
		S: 250 *
		C: DELE tree
		S: 550 *
		C: DELE tree/b
		S: 250 *
		C: DELE tree/b
		S: 550 *no such file*`)
	if got := s.Read(t, "tree/c"); got != "A" {
		t.Errorf("after renaming: %q", got)
	}
}

// Harmful names must be refused wherever a command takes a name, and must change nothing.
func TestNames(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	for _, name := range []string{"a\x00b", "a\rb", "a\x1b[2Jb", "a\x7f", "\u0085"} {
		for _, verb := range []string{"MKD", "RMD", "CWD", "DELE", "RNFR", "SIZE", "MDTM", "MLST", "MFMT 20260101000000", "SITE CHMOD 600"} {
			if reply := c.Do(verb + " " + name); reply[:3] != "553" {
				t.Errorf("%s %q: %s", verb, name, reply)
			}
		}
	}
	if files := s.Files(t); len(files) != 0 {
		t.Errorf("made: %q", files)
	}
	c.Must("MKD Grüße 日本 ~$;'*", `257 "/Grüße 日本 ~$;'*"`)
	c.Must("CWD Grüße 日本 ~$;'*", "250")
}
