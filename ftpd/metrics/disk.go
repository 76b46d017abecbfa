package metrics

import (
	"sync"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// diskPatience is how long a scrape waits for the file system: one that hangs, as a network's may,
// must not hide the other metrics.
const diskPatience = time.Second

// diskProbe asks a file system for its size, one question at a time.
type diskProbe struct {
	ask      func() (storage.Disk, error)
	patience time.Duration

	mu      sync.Mutex
	pending chan diskAnswer // of the question that runs; nil if none does
}

type diskAnswer struct {
	disk storage.Disk
	ok   bool
}

func newDiskProbe(ask func() (storage.Disk, error)) *diskProbe {
	return &diskProbe{ask: ask, patience: diskPatience}
}

// measure returns false if there is no answer, or none in time. A question that is not answered
// goes on, and is not asked again meanwhile.
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
