package socket

import "time"

// Bounds of the pause after an accept that failed, which doubles each time.
const (
	minPause = 5 * time.Millisecond
	maxPause = time.Second
)

// AcceptLoop takes connections until its listener ends. An error that may pass, such as EMFILE, makes it pause and go on.
type AcceptLoop struct {
	// Accept waits for one connection and hands it on.
	Accept func() error
	// Ended reports whether an error of Accept ends the loop.
	Ended func(error) bool
	// Failed is called before a pause with the error; first is true unless the accept before has failed, too.
	Failed func(err error, first bool, pause time.Duration)
	// Recovered is called after the first connection that follows a pause. It may be nil.
	Recovered func()
	// Done ends a pause, and the loop with it.
	Done <-chan struct{}
}

// Run runs the loop. It returns the error that has ended it, or nil if that was Done.
func (l *AcceptLoop) Run() error {
	var pause time.Duration
	for {
		err := l.Accept()
		switch {
		case err == nil:
			if pause > 0 && l.Recovered != nil {
				l.Recovered()
			}
			pause = 0
			continue
		case l.Ended(err):
			return err
		}
		first := pause == 0
		pause = min(max(2*pause, minPause), maxPause)
		l.Failed(err, first, pause)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-l.Done:
			timer.Stop()
			return nil
		}
	}
}
