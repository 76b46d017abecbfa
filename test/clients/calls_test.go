package clients

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/test/bench/calls"
	"github.com/ftp-operator/ftp-operator/test/bench/load"
)

// One session in a closed loop costs the daemon so many system calls for each file or login, and no more. Calls of scheduling
// and memory do not count. One try of many within the limit is enough: the machine's load has the daemon wait and ask again
// more often, so it only adds calls.
func TestSystemCalls(t *testing.T) {
	const operations, tries = 100, 20
	// The load generator's thread keeps a processor of the scheduler while it waits.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(64))
	d := startAt(t, "info", ipv4, false, "", func(c *config.Config) { c.Storage.Durability = config.DurabilityNone })
	write(t, filepath.Join(d.root, "file"), make([]byte, 1<<10))
	account := load.Account{Server: netip.MustParseAddrPort(d.host + ":" + d.port), User: "alice", Password: ftptest.Password}
	var open []*load.Session
	logins := 0
	login := func() (*load.Session, error) {
		logins++
		s, err := load.Login(account, nil)
		if err == nil {
			open = append(open, s)
		}
		return s, err
	}
	leave := func() {
		for _, s := range open {
			_ = s.Close()
		}
		open = nil
	}
	defer leave()
	move := func(job load.Job) func(n int) error {
		return func(n int) error {
			s, err := login()
			if err != nil {
				return err
			}
			if err := s.Binary(); err != nil {
				return err
			}
			job.Most = n
			_, moved, err := load.Repeat([]*load.Session{s}, time.Hour, job)
			if err == nil && moved != n {
				err = fmt.Errorf("%d of %d files were moved", moved, n)
			}
			return err
		}
	}
	for _, tt := range []struct {
		name string
		do   func(n int) error
		most float64
	}{
		{"RETR", move(load.Job{Bytes: 1 << 10, Name: func(b []byte, _, _ int) []byte { return append(b, "file"...) }}), calls.MostRETR},
		{"STOR", move(load.Job{Data: make([]byte, 1<<10), Name: func(b []byte, _, i int) []byte { return fmt.Appendf(b, "new-%d-%d", logins, i) }}), calls.MostSTOR},
		{"login", func(n int) error {
			for range n {
				if _, err := login(); err != nil {
					return err
				}
			}
			return nil
		}, calls.MostLogin},
	} {
		var counted calls.Counts // the least of each call: the machine's load adds now to these, now to those
		for try := 0; try < tries && (counted == nil || counted.Work() > tt.most); try++ {
			counts, err := calls.PerOperation(func() ([]int, error) { return []int{d.pid}, nil }, operations, tt.do)
			if errors.Is(err, calls.ErrNotPermitted) {
				t.Skipf("NOT TESTED: %v", err)
			}
			if err != nil {
				t.Fatalf("%s: %v (`make clients` installs strace)", tt.name, err)
			}
			if counted == nil {
				counted = counts
			}
			for call := range counted {
				counted[call] = min(counted[call], counts[call])
			}
			leave()
		}
		least := counted.Work()
		t.Logf("%s: %.1f system calls, %.1f with those of scheduling: %v", tt.name, least, counted.All(), counted)
		if least > tt.most {
			t.Errorf("%s takes %.1f system calls, and not %.0f at most", tt.name, least, tt.most)
		}
	}
}
