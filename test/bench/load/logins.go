package load

import (
	"bytes"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Logins logs in and out in clear text in lanes for the time d, at least once in each lane, in a loop of few threads. It
// returns how many logins were made per second, and how many in all.
func Logins(a Account, lanes int, d time.Duration) (rate float64, calls int, err error) {
	steps := []step{
		{"220", []byte("USER " + a.User + "\r\n")},
		{"331", []byte("PASS " + a.Password + "\r\n")},
		{"230", []byte("QUIT\r\n")},
		{"221", nil},
	}
	machines := make([]machine, lanes)
	for i := range machines {
		machines[i] = &entering{control: control{-1, &replies{}}, to: rawAddress(a.Server), steps: steps}
	}
	return drive(machines, d, 0)
}

// step is the reply that is awaited, and the command that is sent then.
type step struct {
	code    string
	command []byte
}

// entering is a machine that logs in and out.
type entering struct {
	control
	to    unix.RawSockaddrInet4
	steps []step
	step  int
}

func (e *entering) begin(l *loop, slot int) error {
	var errno syscall.Errno
	if e.fd, errno = nonBlockingSocket(); errno != 0 {
		e.fd = -1
		return failed("socket", errno)
	}
	*e.replies, e.step = replies{}, 0
	if errno := connect(e.fd, &e.to); errno != 0 {
		return failed("connect", errno)
	}
	return l.watch(e.fd, slot, unix.EPOLLIN)
}

func (e *entering) ready(l *loop, slot int) error {
	line, err := e.hear()
	if line == nil {
		return err
	}
	now := e.steps[e.step]
	if !bytes.HasPrefix(line, []byte(now.code)) {
		return fmt.Errorf("log in: expected %s, got %q", now.code, line)
	}
	if now.command != nil {
		e.step++
		return e.say(now.command)
	}
	e.end()
	return l.done(slot)
}

func (e *entering) end() {
	if e.fd >= 0 {
		closeNow(e.fd)
		e.fd = -1
	}
}
