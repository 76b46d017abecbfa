package ftpd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// segments returns the number of segments with data that a client has received on its control connection.
func segments(t *testing.T, c *ftptest.Client) (n uint32) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		info, infoErr := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err = infoErr; err == nil {
			n = info.Data_segs_in
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Each reply must have a segment of its own: simple clients read once per reply, and lose what arrives with it.
func TestReplySegments(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	for name, size := range map[string]int{"empty": 0, "little": 10, "one-packet": 16 << 10, "small": 64 << 10, "large": 1 << 20} {
		if err := os.WriteFile(filepath.Join(s.Root, name), []byte(strings.Repeat("x", size)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	transfers := map[string]func(c *ftptest.Client){
		"RETR empty":      nil,
		"RETR little":     nil,
		"RETR one-packet": nil,
		"RETR small":      nil,
		"RETR large":      nil,
		"LIST":            nil,
		"MLSD":            nil,
		"STOR new":        func(c *ftptest.Client) { c.Put("STOR new", "content") },
		"APPE new":        func(c *ftptest.Client) { c.Put("APPE new", "") },
	}
	c := ftptest.Login(t, s.Addr, "alice")
	for command, transfer := range transfers {
		if transfer == nil {
			transfer = func(c *ftptest.Client) { c.Get(command) }
		}
		before := segments(t, c)
		transfer(c)
		if n := segments(t, c) - before; n < 3 { // a retransmitted segment counts, too
			t.Errorf("%s: the replies to EPSV and to it, 150 and 226, came in %d segments", command, n)
		}
	}
	before := segments(t, c)
	c.Send("NOOP\r\nPWD\r\nNOOP\r\n")
	for range 3 {
		c.Reply()
	}
	if n := segments(t, c) - before; n < 3 {
		t.Errorf("the replies to three commands that came in one segment came in %d", n)
	}
}
