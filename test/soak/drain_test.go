package soak

import (
	"sync"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// SIGTERM under load: every transfer that has started is completed and acknowledged, as are those that start later in
// the same sessions, and the daemon ends by itself.
func TestTerminateUnderLoad(t *testing.T) {
	const crowd, slow = 40, 512 << 10
	d := start(t)
	if err := d.configure(func(c *config.Config) {
		c.Limits.Bandwidth.Session = config.Rates{Up: slow, Down: slow} // so that many transfers run at any time
	}); err != nil {
		t.Fatal(err)
	}
	n := chosenSeed(t)
	s := newSoak(d, calm)
	s.crowd(crowd, n)
	var running sync.WaitGroup
	for _, c := range s.people {
		c.user = ordinary // no other client ends their sessions
		running.Go(func() { c.run(t.Context()) })
	}
	// The daemon's own count is taken right before the signal.
	transfers := func() (running int) {
		sessions, err := d.sessions(t.Context())
		if err != nil {
			t.Error(err)
		}
		for _, i := range sessions {
			if i.State == ftpd.SessionTransfer && i.Transfer.Bytes > 0 {
				running++
			}
		}
		return running
	}
	caught := 0
	for deadline := time.Now().Add(patience); caught < crowd/4 && !t.Failed(); caught = transfers() {
		if time.Now().After(deadline) {
			t.Fatalf("only %d transfers run at the same time", caught)
		}
		pause(t.Context(), nil, 20*time.Millisecond)
	}
	before := s.uploads.Load()
	s.draining.Store(true)
	d.terminate(t)
	running.Wait() // each client runs until the daemon refuses it
	select {
	case err := <-d.exited:
		d.exited <- err // for d.end
		if err != nil {
			t.Errorf("ftpd: %v", err)
		}
	case <-time.After(patience):
		t.Error("ftpd does not end though all clients have gone")
	}
	s.check(t)
	t.Logf("%d transfers were under way when the signal came; %d uploads were completed after it", caught, s.uploads.Load()-before)
}
