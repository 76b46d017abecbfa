package ftpd_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// If many clients share few passive ports, with uploads and downloads at the same time, each must get its own bytes.
func TestCrowd(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	var clients sync.WaitGroup
	for i := range 40 {
		clients.Go(func() {
			content := bytes.Repeat([]byte(fmt.Sprintf("client %d\n", i)), 10000)
			c := ftptest.Login(t, s.Addr, "alice")
			name := fmt.Sprint("file", i)
			for range 3 {
				if reply := c.Put("STOR "+name, string(content)); reply[:3] != "226" {
					t.Errorf("client %d: %s", i, reply)
				}
				if got := c.Get("RETR " + name); sha256.Sum256([]byte(got)) != sha256.Sum256(content) {
					t.Errorf("client %d got %d wrong bytes", i, len(got))
				}
			}
			c.Must("QUIT", "221")
		})
	}
	clients.Wait()
	ftptest.Eventually(t, "all is given back", func() bool {
		st := s.Status()
		return st.Sessions == 0 && st.Transfers == 0
	})
}

// Many transfers must be able to run at the same time through few ports: a port is needed only until its connection
// has arrived.
func TestManyTransfersFewPorts(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	const n = 50
	uploads := make([]io.WriteCloser, n)
	sessions := make([]*ftptest.Client, n)
	for i := range n {
		c := ftptest.Login(t, s.Addr, "alice")
		data := c.Data()
		c.Must(fmt.Sprint("STOR file", i), "150")
		if _, err := fmt.Fprint(data, i); err != nil {
			t.Fatal(err)
		}
		uploads[i], sessions[i] = data, c
	}
	if st := s.Status(); st.Transfers != n {
		t.Errorf("%d transfers run, want %d", st.Transfers, n)
	}
	for i := range n {
		_ = uploads[i].Close()
		sessions[i].Talk(`S: 226 *`)
		if got := s.Read(t, fmt.Sprint("file", i)); got != fmt.Sprint(i) {
			t.Errorf("file%d holds %q", i, got)
		}
	}
}
