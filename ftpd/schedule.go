package ftpd

import (
	"context"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/budget"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// A session has one goroutine while it is idle: the reader, which reads a command, executes it, and waits for the next.
// Whatever else happens to the session - the end of a transfer, a timeout, new settings, the end of the server - is dealt
// with by the goroutine in which it happens, under the session's lock, so no other goroutine has to be woken. The goroutine
// that has run a transfer executes the commands that have waited for its end.

// run serves the session until it ends.
func (s *session) run() {
	greeted := false
	if s.contain(func() error { greeted = s.greet(); return nil }) != nil {
		s.fail()
	}
	if greeted {
		s.stopCut = context.AfterFunc(s.ctx, func() { s.guard(s.onCancel) })
		s.read()
		return
	}
	s.finish()
}

// finish closes the session and gives everything back. The reader calls it, as the last thing it does.
func (s *session) finish() {
	if s.stopCut != nil {
		s.stopCut()
	}
	_ = s.contain(func() error { s.close(); return nil })
	_ = s.conn.Close()
	s.end(nil)
	s.held.GiveAll() // what a panic has left
	s.held.Of.Give(budget.SessionDescriptors)
	s.lease.Release()
	s.srv.unregister(s)
}

// greet greets the client, in TLS if that is implicit; it returns false if that has failed.
func (s *session) greet() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.Debug("connected")
	if s.implicit && !s.beginTLS(s.settings().tls) {
		return false
	}
	s.speak(false)
	s.reply(220, s.settings().cfg.Greeting)
	s.drainQueue()
	return true
}

// read reads and executes commands until the session is over. It also returns when a transfer took so long that the
// watchdog has made another goroutine the reader.
func (s *session) read() {
	watched, handedOver := false, false
	err := s.contain(func() error {
		for s.mayRead() {
			t := s.handleLine(s.in.Next())
			if t == nil {
				continue
			}
			s.srv.watchdog.begin(s)
			watched = true
			s.runTransfers(t)
			watched = false
			if handedOver = !s.srv.watchdog.end(s); handedOver {
				break
			}
		}
		return nil
	})
	if err != nil {
		s.fail()
		handedOver = watched && !s.srv.watchdog.end(s)
	}
	switch {
	case !handedOver:
		s.finish()
	case err != nil:
		s.awaken()
	}
}

// mayRead waits until the next command may be read. It returns false if the session is over.
func (s *session) mayRead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed() && s.mustNotRead() {
		s.turn.Wait()
	}
	s.reading = !s.closed()
	return s.reading
}

// handleLine executes or queues one command line. If that began a transfer it is returned, and the caller must run it
// without the lock.
func (s *session) handleLine(l wire.Line) *transfer.Transfer {
	if l.Last() {
		s.leave() // a command that waits on the client's behalf need not wait any more
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reading = false
	if !s.closed() {
		s.handle(l)
		s.drainQueue()
	}
	return s.takeToRun()
}

// runTransfers runs a transfer, and then each transfer that is begun by a command that has waited for the end of the one before.
func (s *session) runTransfers(t *transfer.Transfer) {
	for t != nil {
		t.Run()
		t = s.transferEnded(t)
	}
}

// drainQueue executes queued commands until one begins a transfer, then sets the idle timer and wakes the reader. The
// caller holds the lock and does nothing after it.
func (s *session) drainQueue() {
	for next, ok := s.dequeue(); ok; next, ok = s.dequeue() {
		s.handle(next)
	}
	if s.closed() {
		s.timer.Stop()
		_ = s.conn.SetReadDeadline(past) // the reader has to see it
	} else {
		s.resetTimer()
	}
	s.turn.Signal()
}

// past is a deadline that makes pending reads and writes fail at once.
var past = time.Unix(1, 0)

// transferEnded settles a transfer that was run, unless hangUp, terminate or close has done so. It returns the next
// one that has begun.
func (s *session) transferEnded(t *transfer.Transfer) *transfer.Transfer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.transfer == t {
		s.settle(t.Wait())
		s.drainQueue()
	}
	return s.takeToRun()
}

// resetTimer sees to it that the timer fires when the session will have been idle for too long, or earlier: onTimer then
// sets it again. So a command does not move the timer, which would cost more than most commands. A transfer has its own
// timeouts.
func (s *session) resetTimer() {
	if s.transfer == nil {
		if d := s.deadline(); s.alarm.IsZero() || d.Before(s.alarm) {
			s.alarm = d
			s.timer.Reset(time.Until(d))
		}
	}
	if s.nudged.Load() {
		s.timer.Reset(0)
	}
}

// recheck makes the session look at the settings and the phase of the server again, soon. Any goroutine may call it.
func (s *session) recheck() {
	s.nudged.Store(true)
	s.timer.Reset(0)
}

// onTimer runs when the session has been idle for too long, or is to look at the settings and the phase of the server.
func (s *session) onTimer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nudged.Store(false)
	s.alarm = time.Time{}
	s.refresh()
	if s.closed() {
		return
	}
	s.revoke()
	if s.transfer == nil {
		s.timeout()
	}
	s.drainQueue()
}

// onCancel ends the session because its context was cancelled.
func (s *session) onCancel() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed() {
		s.terminate()
		s.drainQueue()
	}
}

// whilePresent derives a context that is also cancelled when the client closes its side, for a command that has to wait. The
// caller holds the lock.
func (s *session) whilePresent(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if s.reading {
		return ctx, cancel // the reader sees the end, and calls leave
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.guard(func() {
			if !s.in.Ended.Load() && s.in.AwaitEnd() {
				cancel()
			}
		})
	}()
	return ctx, func() {
		_ = s.conn.SetReadDeadline(past)
		<-done
		_ = s.conn.SetReadDeadline(time.Time{})
		cancel()
	}
}
