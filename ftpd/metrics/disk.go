package metrics

import (
	"sync"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// diskPatience is the time that a scrape waits for the file system. One that hangs, such as a network file system,
// must not hide the other metrics.
const diskPatience = time.Second

// diskProbe asks a file system for its size. Only one question runs at a time.
type diskProbe struct {
	ask      func() (storage.Disk, error)
	patience time.Duration

	mu      sync.Mutex
	pending chan diskAnswer // receives the answer to the running question; nil if none runs
}

type diskAnswer struct {
	disk storage.Disk
	ok   bool
}

func newDiskProbe(ask func() (storage.Disk, error)) *diskProbe {
	return &diskProbe{ask: ask, patience: diskPatience}
}

// measure returns false if the file system gives no answer, or not in time. A late question keeps running, and no
// other is asked meanwhile; a later call takes its answer.
func (p *diskProbe) measure() (storage.Disk, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending == nil {
		answer := make(chan diskAnswer, 1)
		p.pending = answer
		go func() {
			disk, err := p.ask()
			answer <- diskAnswer{disk, err == nil}
		}()
	}
	timer := time.NewTimer(p.patience)
	defer timer.Stop()
	select {
	case a := <-p.pending:
		p.pending = nil
		return a.disk, a.ok
	case <-timer.C:
		return storage.Disk{}, false
	}
}
