package socket

import "time"

// The bounds of the pause after an accept that failed. The pause doubles with each further failure.
const (
	minPause = 5 * time.Millisecond
	maxPause = time.Second
)

// AcceptLoop accepts connections until its listener is closed. After an error that may pass, such as EMFILE, it
// pauses and tries again.
type AcceptLoop struct {
	// Accept waits for one connection and passes it on.
	Accept func() error
	// Ended reports whether an error of Accept ends the loop.
	Ended func(error) bool
	// Failed is called with the error before a pause; first is false if the previous call of Accept failed, too.
	Failed func(err error, first bool, pause time.Duration)
	// Recovered is called after the first connection that follows a pause. It may be nil.
	Recovered func()
	// Done, when closed, ends the loop if it pauses.
	Done <-chan struct{}
}

// Run runs the loop. It returns the error that ended the loop, or nil if Done ended it.
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
