package ftpd_test

import (
	"fmt"
	"io"
	"io/fs"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// allocated returns the disk space that the files of a directory take, with temporary files.
func allocated(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			bytes += info.Sys().(*syscall.Stat_t).Blocks * 512
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return bytes
}

// If sessions combine the same parts at the same time, the quota must count each byte once.
func TestHostileCombine(t *testing.T) {
	const quota = 1 << 20
	s := besiege(t, func(c *config.Config) { c.Users[0].Quota = config.Quota{Bytes: quota} })
	s.withstands(t, func(t *testing.T) {
		clients := make([]*ftptest.Client, 6)
		for i := range clients {
			clients[i] = s.attacker(t)
		}
		for round := range 10 {
			if reply := clients[0].Put("STOR part", strings.Repeat("x", quota*9/10)); reply[:3] != "226" {
				t.Fatalf("round %d: %s", round, reply)
			}
			var group sync.WaitGroup
			for i, c := range clients {
				group.Go(func() { c.Send(fmt.Sprintf("COMB t%d part\r\n", i)) })
			}
			group.Wait()
			combined := 0
			for _, c := range clients {
				switch reply := c.Reply(); reply[:3] {
				case "250":
					combined++
				case "450", "550", "552":
				default:
					t.Error(reply)
				}
			}
			if combined != 1 {
				t.Errorf("round %d: %d were combined", round, combined)
			}
			if n := allocated(t, filepath.Join(s.Root, "alice")); n > quota+64<<10 {
				t.Fatalf("round %d: the home takes %d bytes of the disk, of %d", round, n, quota)
			}
			s.unharmed()
			for i := range clients {
				clients[0].Do(fmt.Sprint("DELE t", i))
			}
		}
	})
}

// If several uploads to one file stand still while the file is removed and renamed, only one of them may use its
// bytes.
func TestHostileOverwrites(t *testing.T) {
	const quota = 1 << 20
	s := besiege(t, func(c *config.Config) { c.Users[0].Quota = config.Quota{Bytes: quota} })
	s.withstands(t, func(t *testing.T) {
		c := s.attacker(t)
		if reply := c.Put("STOR x", strings.Repeat("x", quota)); reply[:3] != "226" {
			t.Fatal(reply)
		}
		var stalled []net.Conn
		for i := range 12 {
			other := s.attacker(t)
			data := other.Data()
			other.Must("STOR x", "150")
			_, _ = io.WriteString(data, strings.Repeat("y", quota-1)) // the upload may be refused while it runs
			stalled = append(stalled, data)
			switch i {
			case 4:
				c.Must("RNFR x", "350")
				c.Must("RNTO z", "250")
			case 8:
				c.Must("DELE z", "250")
				c.Put("STOR x", "short") // refused, because of what the first upload holds
			}
		}
		if n := allocated(t, filepath.Join(s.Root, "alice")); n > 2*quota+64<<10 {
			t.Errorf("the home takes %d bytes of the disk, of %d", n, quota)
		}
		s.unharmed()
		for _, data := range stalled {
			_ = data.Close()
		}
	})
}
