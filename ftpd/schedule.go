package ftpd

import (
	"context"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/budget"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// A session has one goroutine while it is idle: the one that reads its commands, executes them,
// and waits for the next. What else happens to it - the end of a transfer, a timeout, new
// settings, the server's end - is dealt with by the goroutine in which it happens, under the
// session's lock, so nobody has to be woken for it. The commands that had to wait for a transfer's
// end are executed by whoever has ended it.

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

// finish ends the session, whose reader is done.
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

// read takes commands until the session is over, or until a transfer has kept it from reading for
// so long that another goroutine does.
func (s *session) read() {
	minded, handedOver := false, false
	err := s.contain(func() error {
		for s.mayRead() {
			t := s.handleLine(s.in.Next())
			if t == nil {
				continue
			}
			s.srv.watchdog.begin(s)
			minded = true
			s.runTransfers(t)
			minded = false
			if handedOver = !s.srv.watchdog.end(s); handedOver {
				break
			}
		}
		return nil
	})
	if err != nil {
		s.fail()
		handedOver = minded && !s.srv.watchdog.end(s)
	}
	switch {
	case !handedOver:
		s.finish()
	case err != nil:
		s.awaken()
	}
}

// readOn is read for the goroutine that takes over from one that runs a transfer.
func (s *session) readOn() { s.read() }

// mayRead waits until the next command may be read; false if the session is over.
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
		s.leave() // whoever waits for something on the client's behalf need not wait any more
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

// runTransfers runs a transfer, and those that the commands begin which have waited for its end.
func (s *session) runTransfers(t *transfer.Transfer) {
	for t != nil {
		t.Run()
		t = s.transferEnded(t)
	}
}

// drainQueue goes on after something has happened: with the commands that have waited for it. It is
// called with the lock, last of all.
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

// past is a deadline that ends what waits.
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

// resetTimer sets the timer to when the session will have been still for too long.
func (s *session) resetTimer() {
	if s.transfer != nil {
		s.timer.Stop() // a transfer has its own timeouts
	} else {
		s.timer.Reset(time.Until(s.deadline()))
	}
	if s.nudged.Load() {
		s.timer.Reset(0)
	}
}

// recheck makes the session look at the server's settings and phase again, soon.
func (s *session) recheck() {
	s.nudged.Store(true)
	s.timer.Reset(0)
}

// onTimer is what the timer does.
func (s *session) onTimer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nudged.Store(false)
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

// onCancel ends the session because its context has ended.
func (s *session) onCancel() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed() {
		s.terminate()
		s.drainQueue()
	}
}

// whilePresent derives a context that ends, too, when the client closes its side, for a command
// that has to wait. It is called with the lock.
func (s *session) whilePresent(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if s.reading {
		return ctx, cancel // the reader will see it, and call leave
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
