package ftpd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// hogAndBob adds users with names of their own, because all servers of a process share the places.
func hogAndBob(c *config.Config) {
	c.Users = append(c.Users, ftptest.User("hog", ".", config.AccessReadWrite), ftptest.User("bob", ".", config.AccessReadWrite))
}

// The tests of this file are not parallel: all servers share the places.

// A user who has the checksums of many endless files computed at the same time must not keep other users from theirs.
func TestHashIsShared(t *testing.T) {
	s := ftptest.Start(t, hogAndBob)
	s.Write(t, "small", "x")
	s.Write(t, "endless", "")
	if err := os.Truncate(filepath.Join(s.Root, "endless"), 1<<42); err != nil {
		t.Fatal(err)
	}
	bob := ftptest.Login(t, s.Addr, "bob")
	var hogs []*ftptest.Client
	for range 10 {
		c := ftptest.Login(t, s.Addr, "hog")
		c.Send("XMD5 endless\r\n")
		hogs = append(hogs, c)
	}
	busy := func() int {
		n := 0
		for _, session := range s.Sessions() {
			if strings.HasPrefix(session.Command, "XMD5") {
				n++
			}
		}
		return n
	}
	ftptest.Eventually(t, "all of them have begun", func() bool { return busy() == len(hogs) })
	bob.Must("XCRC small", "250")
	refused := 0
	for _, c := range hogs {
		c.Send("ABOR\r\n")
		if got := c.Reply(); strings.HasPrefix(got, "450") {
			refused++
		}
		c.Reply()
	}
	if refused == len(hogs) {
		t.Error("nothing was summed for the user who asked for much")
	}
}

// The same must hold for compressed transfers; those beyond a user's share must be refused in time, before the 150.
func TestCompressionIsShared(t *testing.T) {
	s := ftptest.Start(t, hogAndBob)
	s.Write(t, "small", "content")
	var hogs []*ftptest.Client
	for i := range 32 {
		c := ftptest.Login(t, s.Addr, "hog")
		c.Must("MODE Z", "200")
		c.Data() // no data arrive over it
		c.Must("STOR big"+string(rune('a'+i%26))+string(rune('a'+i/26)), "150")
		hogs = append(hogs, c)
	}
	one := ftptest.Login(t, s.Addr, "hog")
	one.Must("MODE Z", "200")
	one.Data()
	one.Must("STOR more", "450 Transfer aborted: too many compressed transfers run")
	bob := ftptest.Login(t, s.Addr, "bob")
	bob.Must("MODE Z", "200")
	bob.Data()
	bob.Must("RETR small", "150")
	for _, c := range hogs {
		_ = c.Close()
	}
}
