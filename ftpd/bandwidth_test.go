package ftpd_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// slowly limits the whole server to the lowest allowed rate, at which no transfer in a test ends.
func slowly(c *config.Config) {
	c.Limits.Bandwidth.Server = config.Rates{Up: 1024, Down: 1024}
}

func unbounded(c *config.Config) { c.Limits.Bandwidth = config.Bandwidth{} }

const much = 3 << 20 // more than sockets hold; at the lowest rate it takes far more than a minute

// A download must be slowed down, and must go on at full speed at once when the limit is removed.
func TestBandwidthDown(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{"I", "A"} {
		s := ftptest.Start(t, slowly)
		content := strings.Repeat("x", much)
		s.Write(t, "file", content)
		c := ftptest.Login(t, s.Addr, "alice")
		c.Must("TYPE "+typ, "200")
		data := c.Data()
		c.Must("RETR file", "150")
		first := make([]byte, 1)
		if _, err := io.ReadFull(data, first); err != nil {
			t.Fatal(err)
		}
		c.Must("STAT", "211")
		if st := s.Status(); st.Transfers != 1 {
			t.Errorf("%d transfers run", st.Transfers)
		}
		if err := s.Edit(t, unbounded); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(data)
		if err != nil || 1+len(rest) != much {
			t.Errorf("TYPE %s: got %d bytes, %v", typ, 1+len(rest), err)
		}
		c.Talk("S: 226 *")
	}
}

func TestBandwidthUp(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{"I", "A"} {
		s := ftptest.Start(t, slowly)
		c := ftptest.Login(t, s.Addr, "alice")
		c.Must("TYPE "+typ, "200")
		data := c.Data()
		c.Must("STOR file", "150")
		sent := make(chan error, 1)
		go func() {
			_, err := io.Copy(data, bytes.NewReader(bytes.Repeat([]byte("x"), much)))
			_ = data.Close()
			sent <- err
		}()
		ftptest.Eventually(t, "something has come", func() bool {
			c.Send("STAT\r\n")
			for {
				line, err := c.Line()
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(line, "211 ") {
					return false
				}
				if strings.Contains(line, "STOR /file: ") && !strings.Contains(line, ": 0 bytes") {
					c.Talk("S: ...\nS: 211 *")
					return true
				}
			}
		})
		if err := s.Edit(t, unbounded); err != nil {
			t.Fatal(err)
		}
		c.Talk("S: 226 *")
		if err := <-sent; err != nil {
			t.Error(err)
		}
		if got := s.Read(t, "file"); len(got) != much {
			t.Errorf("TYPE %s: %d bytes are stored", typ, len(got))
		}
	}
}

// ABOR and the server's end must interrupt a transfer that waits for its rate.
func TestBandwidthAbort(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, slowly)
	s.Write(t, "file", strings.Repeat("x", much))
	c := ftptest.Login(t, s.Addr, "alice")
	data := c.Data()
	c.Must("RETR file", "150")
	if _, err := io.ReadFull(data, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	c.Talk(`
		C: ABOR
		S: 426 *
		S: 226 *`)
	data = c.Data()
	c.Must("STOR new", "150")
	if _, err := io.WriteString(data, strings.Repeat("x", 100<<10)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	c.Talk(`
		S: 426 *
		S: 421 *`)
	if got := s.Read(t, "new"); got != "(absent)" {
		t.Errorf("%d bytes are stored", len(got))
	}
}
