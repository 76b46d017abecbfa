package ftpd_test

import (
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// stalled begins the download of a big file, and reads only its beginning.
func stalled(t *testing.T, s *ftptest.Server, c *ftptest.Client) (data io.ReadCloser) {
	t.Helper()
	s.Write(t, "big", strings.Repeat("0123456789abcdef", 2<<20))
	conn := c.Data()
	c.Must("RETR big", "150")
	if _, err := io.ReadFull(conn, make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestAborDuringDownload(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	for name, abor := range map[string]string{
		"in band":           "ABOR\r\n",
		"with Telnet Synch": "\xff\xf4\xff\xf2ABOR\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := ftptest.Login(t, s.Addr, "alice")
			data := stalled(t, s, c)
			c.Send(abor)
			c.Talk(`
				S: 426 *
				S: 226 *
				C: PWD
				S: 257 *`)
			if n, err := io.Copy(io.Discard, data); err == nil {
				t.Errorf("the data connection ended in an orderly way after %d bytes", n)
			}
			if got := c.Get("RETR big"); len(got) != 32<<20 {
				t.Errorf("after ABOR got %d bytes", len(got))
			}
		})
	}
}

// Clients send the Telnet Synch as TCP urgent data, which must not vanish from the stream.
func TestAborUrgent(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	_ = stalled(t, s, c)
	urgent(t, c, "\xff\xf4\xff") // the last byte is the urgent one
	c.Send("\xf2ABOR\r\n")
	c.Talk(`
		S: 426 *
		S: 226 *
		C: NOOP
		S: 200 *`)

	_ = stalled(t, s, c)
	for _, b := range []string{"\xff", "\xf4", "\xff", "\xf2"} { // each of these bytes is urgent
		urgent(t, c, b)
	}
	c.Send("ABOR\r\n")
	c.Talk(`
		S: 426 *
		S: 226 *
		C: NOOP
		S: 200 *`)
}

// A proxy may remove urgent data from the stream, so any bytes of the Synch may be missing.
func TestAborWithoutUrgentData(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	for _, came := range []string{"\xf4", "\xf2", "\xff\xf4\xf2", "\xff\xf4\xff", "\xff\xff", "\xff\xf4\xff\xf2", "\xf4\xf2"} {
		_ = stalled(t, s, c)
		c.Send(came + "ABOR\r\n")
		c.Talk(`
			S: 426 *
			S: 226 *`)
		c.Send(came + "NOOP\r\n")
		c.Talk(`S: 200 *`)
	}
}

func urgent(t *testing.T, c *ftptest.Client, text string) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var sendErr error
	err = raw.Control(func(fd uintptr) { sendErr = unix.Sendto(int(fd), []byte(text), syscall.MSG_OOB, nil) })
	if err != nil || sendErr != nil {
		t.Fatal(err, sendErr)
	}
}

func TestAborDuringUpload(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "file", "old")
	c := ftptest.Login(t, s.Addr, "alice")
	data := c.Data()
	c.Must("STOR file", "150")
	_, _ = io.WriteString(data, "new")
	c.Talk(`
		C: ABOR
		S: 426 *
		S: 226 *
		C: SIZE file
		S: 213 3`)
	if s.Read(t, "file") != "old" || len(s.Files(t)) != 1 {
		t.Errorf("after ABOR: %q", s.Files(t))
	}
}

// ABOR must work while the data connection is awaited, and without any transfer.
func TestAborIdle(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "file", "x")
	c := ftptest.Login(t, s.Addr, "alice")
	c.Talk(`
		C: ABOR
		S: 226 *`)
	c.EpsvAddr()
	c.Talk(`
		C: RETR file
		S: 150 *
		C: ABOR
		S: 426 *
		S: 226 *
		C: RETR file
		S: 425 *`)
	c.EpsvAddr()
	c.Talk(`
		C: ABOR
		S: 226 *
		C: RETR file
		S: 425 *`)
}

func TestStatNoopDuringTransfer(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	data := c.Data()
	c.Must("STOR file", "150")
	_, _ = io.WriteString(data, "new")
	c.Talk(`
		C: NOOP
		S: 200 *
		C: STAT
		S: 211-*
		S: ...
		S:  STOR /file: * bytes in *
		S: 211 *`)
	_ = data.Close()
	c.Talk(`S: 226 *`)
}

// Commands that may not run during a transfer must run after it, in order; ABOR must overtake them.
func TestPipeliningDuringTransfer(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	data := c.Data()
	c.Must("STOR file", "150")
	c.Send("SIZE file\r\nNOOP\r\nDELE file\r\nSIZE file\r\n")
	_, _ = io.WriteString(data, "new")
	_ = data.Close()
	c.Talk(`
		S: 226 *
		S: 213 3
		S: 200 *
		S: 250 *
		S: 550 *`)
	_ = stalled(t, s, c)
	c.Talk(`
		C: PWD
		C: SIZE big
		C: ABOR
		S: 426 *
		S: 226 *
		S: 257 *
		S: 213 33554432`)
}

func TestPipelining(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Dial(t, s.Addr)
	c.Send("USER alice\r\nPASS secret\r\nMKD a\r\nCWD a\r\nPWD\nSYST\r\nQU")
	c.Talk(`
		S: 220 *
		S: 331 *
		S: 230 *
		S: 257 *
		S: 250 *
		S: 257 "/a" *
		S: 215 *`)
	c.Send("IT\r\n")
	c.Talk(`
		S: 221 *
		S: EOF`)

	// A client that sends far more than is read ahead must only have to wait.
	c = ftptest.Login(t, s.Addr, "alice")
	go c.Send(strings.Repeat("NOOP\r\n", 5000))
	for range 5000 {
		if reply := c.Reply(); reply[:3] != "200" {
			t.Fatal(reply)
		}
	}
}

func TestQuitDuringTransfer(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	data := c.Data()
	c.Must("STOR file", "150")
	c.Send("QUIT\r\n")
	_ = c.CloseWrite() // it may, since it has sent QUIT
	_, _ = io.WriteString(data, "all of it")
	_ = data.Close()
	c.Talk(`
		S: 226 *
		S: 221 *
		S: EOF`)
	if got := s.Read(t, "file"); got != "all of it" {
		t.Errorf("stored %q", got)
	}
}

// A whole session, including its end, must work if it arrives in one segment.
func TestScriptedSession(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, activeEnabled)
	s.Write(t, "hello", "world")
	l := listen(t, "127.0.0.1:0")
	c := ftptest.Dial(t, s.Addr)
	p := port(l)
	portCommand := "EPRT |1|127.0.0.1|" + fmt.Sprint(p) + "|\r\n"
	c.Send("USER alice\r\nPASS secret\r\nTYPE I\r\n" + portCommand + "RETR hello\r\n" + portCommand + "RETR hello\r\nQUIT\r\n")
	_ = c.CloseWrite()
	for range 2 {
		if got := accepted(t, l); got != "world" {
			t.Errorf("got %q", got)
		}
	}
	c.Talk(`
		S: 220 *
		S: 331 *
		S: 230 *
		S: 200 *
		S: 200 *
		S: 150 *
		S: 226 *
		S: 200 *
		S: 150 *
		S: 226 *
		S: 221 *
		S: EOF`)
}

// If a client leaves without QUIT, its transfer must end.
func TestHangUpDuringTransfer(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	data := stalled(t, s, c)
	_ = c.Close()
	ftptest.Eventually(t, "the session ends", func() bool { st := s.Status(); return st.Sessions == 0 && st.Transfers == 0 })
	if n, err := io.Copy(io.Discard, data); err == nil {
		t.Errorf("the data connection ended in an orderly way after %d bytes", n)
	}
}

func TestTelnet(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	c.Send("\xff\xfd\x06NO\xff\xf1OP\r\n")
	got := make([]byte, 3)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "\xff\xfc\x06" {
		t.Errorf("DO was answered by %q, %v", got, err)
	}
	c.Talk(`S: 200 *`)
}

func TestLongLine(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	c.Send("NOOP " + strings.Repeat("x", 100000) + "\r\nNOOP\r\n")
	c.Talk(`
		S: 500 *too long*
		S: 200 *`)
}

func TestIdleTimeout(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Timeouts.Idle = config.Duration(10 * time.Second) })
	c := ftptest.Login(t, s.Addr, "alice")
	start := time.Now()
	c.Talk(`
		S: 421 Idle for too long*
		S: EOF`)
	if time.Since(start) < 9*time.Second {
		t.Error("the session was ended too early")
	}
}

// A session whose transfer runs must not count as idle, however long that takes (RFC 1123 section 4.1.3.2).
func TestNotIdleDuringTransfer(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Timeouts.Idle = config.Duration(10 * time.Second) })
	c := ftptest.Login(t, s.Addr, "alice")
	data := c.Data()
	c.Must("STOR file", "150")
	other := ftptest.Login(t, s.Addr, "alice") // its time begins later
	other.Talk(`
		S: 421 Idle for too long*
		S: EOF`)
	_, _ = io.WriteString(data, "slowly")
	_ = data.Close()
	c.Talk(`
		S: 226 *
		C: NOOP
		S: 200 *`)
	if got := s.Read(t, "file"); got != "slowly" {
		t.Errorf("stored %q", got)
	}
}

// crawl stores a file of six bytes, one every 0.4 s, and returns the reply and the longest pause.
func crawl(c *ftptest.Client) (reply string, longest time.Duration) {
	last := time.Now()
	conn := c.Data()
	c.Must("STOR slow", "150")
	tick := time.NewTicker(400 * time.Millisecond)
	defer tick.Stop()
	for range 6 {
		<-tick.C
		_, _ = conn.Write([]byte("x")) // the reply says whether it was in time
		longest, last = max(longest, time.Since(last)), time.Now()
	}
	_ = conn.Close()
	reply = c.Reply()
	return reply, max(longest, time.Since(last))
}

// A data connection that moves nothing must end its transfer; one that is only slow must not.
func TestDataTimeout(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Timeouts.Data = config.Duration(time.Second) })
	c := ftptest.Login(t, s.Addr, "alice")
	data := stalled(t, s, c)
	c.Talk(`S: 426 *stood still*`)
	_ = data.Close()

	// On a busy machine this test itself may stand still for too long: such an attempt does not count.
	for {
		reply, longest := crawl(c)
		if reply[:3] == "226" {
			break
		}
		if longest < time.Second/2 {
			t.Fatalf("the upload never paused for more than %v, but: %s", longest, reply)
		}
	}
	if got := s.Read(t, "slow"); got != "xxxxxx" {
		t.Errorf("stored %q", got)
	}

	conn := c.Data()
	c.Must("STOR never", "150")
	c.Talk(`S: 426 *stood still*`)
	_ = conn.Close()
	if got := s.Read(t, "never"); got != "(absent)" {
		t.Errorf("published %q", got)
	}
}
