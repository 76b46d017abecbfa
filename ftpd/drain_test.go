package ftpd_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

// refusals lists servers that refuse alice's uploads while they run.
var refusals = map[string]func(*config.Config){
	"quota": func(c *config.Config) { c.Users[0].Quota = config.Quota{Bytes: 1 << 20} },
}

// If the server refuses a running upload, it must reply while the client is still sending, and must read on, so that
// the client gets to read the reply.
func TestRefusedUpload(t *testing.T) {
	t.Parallel()
	for name, edit := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := ftptest.Start(t, edit)
			c := ftptest.Login(t, s.Addr, "alice")
			for range 2 { // the second upload ends the draining of the first
				data := c.Data()
				c.Must("STOR file", "150")
				sent := make(chan error, 1)
				go func() {
					_, err := data.Write(bytes.Repeat([]byte("x"), 32<<20))
					sent <- err
				}()
				c.Talk("S: 552 *quota*") // before the client has closed anything
				if err := <-sent; err != nil {
					t.Fatal("the client still sent: ", err)
				}
				_ = data.CloseWrite()
				if _, err := io.ReadAll(data); err != nil {
					t.Error("at the end: ", err)
				}
			}
			if files := s.Files(t); len(files) != 0 {
				t.Errorf("left behind: %q", files)
			}
			if log := s.Log.String(); strings.Count(log, `code=552`) != 2 || strings.Contains(log, "connection was lost") {
				t.Error("the audit log does not tell the cause twice")
			}
		})
	}
}

// A transfer that is refused at once must leave its data connection open until the client closes it, because the
// client may be in the middle of the TLS handshake.
func TestRefusedBeforeHandshake(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS())
	c := ftptest.LoginTLS(t, s.Addr, "reader", a.Client())
	for _, command := range []string{"STOR file", "RETR none"} {
		data := c.Data()
		if _, err := io.WriteString(data, "\x16\x03\x01 hello"); err != nil {
			t.Fatal(err)
		}
		c.Must(command, "550")
		c.Must("NOOP", "200")
		if _, err := io.WriteString(data, "more"); err != nil {
			t.Error(err)
		}
		_ = data.CloseWrite()
		if n, err := io.ReadAll(data); len(n) != 0 || err != nil {
			t.Errorf("%s: %q, %v", command, n, err)
		}
	}
	// The end of the session must close the connection, too.
	data := c.Data()
	c.Must("RETR none", "550")
	c.Must("QUIT", "221")
	if _, err := data.Read(make([]byte, 1)); err == nil || errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
