package caches

import "sync"

// Lazy starts, at the first call of Watch, a watch that most servers do not need.
type Lazy struct {
	// Start starts the watch; nil where there is nothing to watch.
	Start func() error

	mu      sync.Mutex
	started bool
}

// Watch starts the watch unless it has been started. It returns the error of Start, and tries again at the next call.
func (w *Lazy) Watch() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.started || w.Start == nil {
		return nil
	}
	if err := w.Start(); err != nil {
		return err
	}
	w.started = true
	return nil
}
