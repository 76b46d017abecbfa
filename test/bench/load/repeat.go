package load

import (
	"bytes"
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Job is a small transfer that sessions repeat, with another file each time.
type Job struct {
	// Name appends to b the name of the file that a session moves as its i-th.
	Name func(b []byte, session, i int) []byte
	// Data is what is stored in each file; nil: files are fetched. It must not be empty.
	Data []byte
	// Bytes is the exact size of each file that is fetched.
	Bytes int64
	// Most is the greatest number of files that each session moves; 0: no limit.
	Most int
}

// Repeat has sessions in clear text do a job for the time d, each of them at least once, in a loop of few threads. It
// returns how many files were moved per second, and how many in all. It fails as soon as one of them gets another
// number of bytes or another reply than it should.
func Repeat(sessions []*Session, d time.Duration, job Job) (rate float64, calls int, err error) {
	machines := make([]machine, len(sessions))
	for i, s := range sessions {
		machines[i] = &transferring{control: control{s.raw.fd, &s.replies}, job: job, session: i, data: -1, to: rawAddress(s.server)}
	}
	return drive(machines, d, job.Most)
}

// state is what a transferring machine waits for.
type state int

const (
	awaitsPort state = iota
	receives
	sends
	awaitsEnd
)

// transferring is a session that does a job.
type transferring struct {
	control
	job     Job
	session int
	files   int // that were begun
	command []byte
	watched bool // the control connection
	state   state
	to      unix.RawSockaddrInet4
	data    int   // the data connection; -1: none
	moved   int64 // bytes of this file
	broken  error // what went wrong with the data
}

var epsv = []byte("EPSV\r\n")

func (t *transferring) begin(l *loop, slot int) error {
	if !t.watched {
		t.watched = true
		if err := l.watch(t.fd, slot, unix.EPOLLIN); err != nil {
			return err
		}
	}
	verb := "RETR "
	if t.job.Data != nil {
		verb = "STOR "
	}
	t.command = append(t.job.Name(append(t.command[:0], verb...), t.session, t.files), '\r', '\n')
	t.files++
	t.moved, t.state = 0, awaitsPort
	return t.say(epsv)
}

func (t *transferring) ready(l *loop, slot int) error {
	switch t.state {
	case awaitsPort:
		line, err := t.hear()
		if line == nil {
			return err
		}
		port, ok := epsvPort(line)
		if !ok {
			return fmt.Errorf("EPSV: %q", line)
		}
		return t.open(l, slot, port)
	case receives:
		return t.receive(l, slot)
	case sends:
		return t.send(l, slot)
	default:
		return t.conclude(l, slot)
	}
}

// open connects to a passive port and sends the command. Data is moved without waiting for the reply, which mostly comes
// together with the last one.
func (t *transferring) open(l *loop, slot int, port uint16) error {
	var errno syscall.Errno
	if t.data, errno = nonBlockingSocket(); errno != 0 {
		t.data = -1
		return failed("socket", errno)
	}
	setPort(&t.to, port)
	if errno := connect(t.data, &t.to); errno != 0 {
		return fmt.Errorf("connect to port %d: %w", port, errno)
	}
	if err := t.say(t.command); err != nil {
		return err
	}
	if t.job.Data == nil {
		t.state = receives
		return l.watch(t.data, slot, unix.EPOLLIN)
	}
	t.state = sends
	if err := t.send(l, slot); err != nil || t.state != sends {
		return err
	}
	return l.watch(t.data, slot, unix.EPOLLOUT)
}

// receive throws away what has come of a file, in the kernel.
func (t *transferring) receive(l *loop, slot int) error {
	for {
		n, errno := receive(t.data, nowhere, unix.MSG_TRUNC)
		switch {
		case errno == unix.EAGAIN:
			return nil
		case errno != 0:
			t.broken = failed("recvfrom", errno)
		case n > 0:
			t.moved += int64(n)
			continue
		}
		if t.moved != t.job.Bytes {
			t.broken = errors.Join(t.broken, fmt.Errorf("%d bytes came, and not %d", t.moved, t.job.Bytes))
		}
		return t.closed(l, slot)
	}
}

// send sends what fits of a file.
func (t *transferring) send(l *loop, slot int) error {
	for t.moved < int64(len(t.job.Data)) {
		n, errno := send(t.data, t.job.Data[t.moved:])
		if errno == unix.EAGAIN {
			return nil
		}
		if errno != 0 {
			t.broken = failed("sendto", errno)
			break
		}
		t.moved += int64(n)
	}
	return t.closed(l, slot)
}

// closed closes the data connection.
func (t *transferring) closed(l *loop, slot int) error {
	closeNow(t.data)
	t.data, t.state = -1, awaitsEnd
	return t.conclude(l, slot)
}

// conclude reads the replies to the command.
func (t *transferring) conclude(l *loop, slot int) error {
	for {
		line, err := t.hear()
		switch {
		case err != nil:
			return errors.Join(t.broken, err)
		case line == nil:
			return nil
		case line[0] == '1':
			continue
		case line[0] == '2' && t.broken == nil:
			return l.done(slot)
		}
		return errors.Join(t.broken, fmt.Errorf("%s: %q", bytes.TrimSpace(t.command), line))
	}
}

func (t *transferring) end() {
	if t.data >= 0 {
		closeNow(t.data)
		t.data = -1
	}
}
