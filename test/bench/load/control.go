package load

import (
	"errors"

	"golang.org/x/sys/unix"
)

// control is the control connection of a machine.
type control struct {
	fd int
	*replies
}

// hear returns the next reply, or nil if it is not there.
func (c *control) hear() ([]byte, error) {
	for {
		if line := c.next(); line != nil {
			return line, nil
		}
		p, err := c.space()
		if err != nil {
			return nil, err
		}
		n, errno := receive(c.fd, p, 0)
		switch {
		case errno == unix.EAGAIN:
			return nil, nil
		case errno != 0:
			return nil, failed("recvfrom", errno)
		case n == 0:
			return nil, errors.New("the server has closed the control connection")
		}
		c.grew(n)
	}
}

// say sends a command, which ends with CR LF. It fits: it is short, and those before it were answered.
func (c *control) say(command []byte) error {
	n, errno := send(c.fd, command)
	if errno == 0 && n < len(command) {
		errno = unix.EAGAIN
	}
	return failed("sendto", errno)
}
