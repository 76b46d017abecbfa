package ftpd_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

const (
	// crowd is the number of concurrent transfers: half of them are uploads, and a tenth use TLS.
	crowd = 1000
	// crowdPorts is the number of passive ports that they share.
	crowdPorts = 10
	// crowdAddresses is the number of client addresses; each has more transfers than there are ports.
	crowdAddresses = 50
	// crowdBytes is the number of bytes of each transfer, and crowdStart the number that it moves before all others
	// have begun. The rest of a download does not fit into the buffers of narrow's connections.
	crowdBytes, crowdStart = 256 << 10, 16 << 10
	// crowdDescriptors is the number of descriptors of a transfer, of both its ends.
	crowdDescriptors = 8
	// crowdAtOnce is the number of transfers that log in and begin at the same time, so that the wait at each step
	// does not grow with the crowd.
	crowdAtOnce = 32
	// crowdPatience is the time for which a transfer may wait for the others to begin.
	crowdPatience = time.Hour
)

// A thousand uploads and downloads must be able to run at the same time through ten ports, each with its own bytes.
func TestThousandTransfers(t *testing.T) {
	n := min(crowd, (mostDescriptors(t)-spareDescriptors)/crowdDescriptors)
	a := authority.New(t)
	s := besiege(t, noBans, a.WithTLS(), func(c *config.Config) {
		c.Passive.Ports = ftptest.FreePorts(t, "127.0.0.1", crowdPorts)
		// On a busy machine the first clients and the bystander wait for long.
		c.Timeouts.Idle = config.Duration(crowdPatience)
		c.Timeouts.Data, c.Timeouts.Login, c.Timeouts.Handshake = config.Duration(crowdPatience), config.Duration(10*time.Minute), config.Duration(time.Minute)
	})
	for i := 1; i < n; i += 2 {
		s.Write(t, fmt.Sprint("alice/", i), string(crowdContent(i)))
	}
	s.withstands(t, func(t *testing.T) {
		var begun, ended sync.WaitGroup
		begun.Add(n)
		all, beginning := make(chan struct{}), make(chan struct{}, crowdAtOnce)
		for i := range n {
			beginning <- struct{}{}
			ended.Go(func() {
				wait := sync.OnceFunc(func() { <-beginning; begun.Done(); <-all })
				defer wait() // also if the transfer fails
				transferInCrowd(t, s, a, i, wait)
			})
		}
		begun.Wait()
		if got := s.Status().Transfers; got != n {
			t.Errorf("%d transfers run at the same time, want %d", got, n)
		}
		if got := s.Reservations(); got != 0 {
			t.Errorf("%d ports are reserved while nobody waits for one", got)
		}
		s.unharmed()
		close(all)
		ended.Wait()
		for i := 0; i < n; i += 2 {
			if got, err := os.ReadFile(filepath.Join(s.Root, "alice", fmt.Sprint(i))); !bytes.Equal(got, crowdContent(i)) { //nolint:gosec // a test's own directory
				t.Errorf("upload %d stored %d bytes, or wrong ones: %v", i, len(got), err)
			}
		}
	})
}

// transferInCrowd moves the i-th content, and calls wait in the middle of it.
func transferInCrowd(t *testing.T, s *siege, a *authority.Authority, i int, wait func()) {
	c := ftptest.DialFrom(t, fmt.Sprintf("127.0.5.%d", i/2%crowdAddresses+1), s.Addr)
	c.Talk("S: 220 *")
	if i/2%10 == 0 {
		c.Secure(a.Client())
	}
	c.LoginAs("alice")
	raw, err := narrow(c)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = raw.Close() }()
	content := crowdContent(i)
	if i%2 == 0 {
		c.Must(fmt.Sprint("STOR ", i), "150")
		data := c.Protect(raw)
		_, err1 := data.Write(content[:crowdStart])
		wait()
		_, err2 := data.Write(content[crowdStart:])
		if err := errors.Join(err1, err2, data.Close()); err != nil {
			t.Errorf("upload %d: %v", i, err)
		}
	} else {
		c.Must(fmt.Sprint("RETR ", i), "150")
		data := c.Protect(raw)
		var got bytes.Buffer
		_, err1 := io.CopyN(&got, data, crowdStart)
		wait()
		_ = raw.SetReadBuffer(1 << 20)
		_, err2 := io.Copy(&got, data)
		if err := errors.Join(err1, err2); err != nil || !bytes.Equal(got.Bytes(), content) {
			t.Errorf("download %d brought %d bytes, or wrong ones: %v", i, got.Len(), err)
		}
		_ = data.Close()
	}
	if reply := c.Reply(); reply[:3] != "226" {
		t.Errorf("transfer %d: %s", i, reply)
	}
}

// narrow opens a data connection with small buffers at both ends: small segments make the send buffer small.
func narrow(c *ftptest.Client) (*net.TCPConn, error) {
	d := net.Dialer{
		LocalAddr: &net.TCPAddr{IP: c.LocalAddr().(*net.TCPAddr).IP},
		Timeout:   ftptest.Patience(c.TB()),
		Control: func(_, _ string, raw syscall.RawConn) error {
			var optErr error
			err := raw.Control(func(fd uintptr) {
				optErr = errors.Join(
					unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, 1400),
					unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 8192))
			})
			return errors.Join(err, optErr)
		},
	}
	conn, err := d.Dial("tcp", c.EpsvAddr())
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), conn.SetDeadline(time.Now().Add(crowdPatience))
}

// crowdContent returns the content of the i-th transfer.
func crowdContent(i int) []byte {
	content := make([]byte, crowdBytes)
	_, _ = rand.NewChaCha8([32]byte{byte(i), byte(i >> 8)}).Read(content) // never fails
	return content
}
