package ftpd

import (
	"sync"

	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// maxQueued is the number of commands that may wait for the end of a transfer. A client that sends more is not read from
// until the transfer has ended.
const maxQueued = 32

// intake says what becomes of the commands that a client sends.
type intake uint8

const (
	// intakeOpen: they are read, and executed or queued.
	intakeOpen intake = iota
	// intakePaused: none is read until the queue is empty: a REIN in it will end TLS, and what comes after it comes in clear
	// text.
	intakePaused
	// intakeQuitting: none is read: QUIT came, and the session ends when the transfer has ended.
	intakeQuitting
	// intakeEnded: none is read: the client closed its side after QUIT, and waits for what is queued.
	intakeEnded
	// intakeClosed: none is read or executed: the last reply was sent.
	intakeClosed
)

// pipeline decides which command of a session is read, queued and executed next, and who runs its transfer. It does no
// I/O.
type pipeline struct {
	mu   sync.Mutex // guards the fields below
	turn sync.Cond  // signalled when the reader may go on
	// reading: a goroutine waits for the next command.
	reading bool
	queue   []wire.Line // commands that wait for the transfer's end
	intake  intake

	transfer *transfer.Transfer // nil: none runs
	toRun    *transfer.Transfer // transfer, until a goroutine has picked it up to run it
	aborting bool               // ABOR came: it is answered after the transfer
}

// mustNotRead reports whether to leave input unread: the queue is full, a queued REIN will end TLS first, or no further
// command is wanted.
func (p *pipeline) mustNotRead() bool { return p.intake != intakeOpen || len(p.queue) >= maxQueued }

// closed reports whether the last reply was sent.
func (p *pipeline) closed() bool { return p.intake == intakeClosed }

// closeIntake notes that the last reply was sent, or that none can be sent.
func (p *pipeline) closeIntake() { p.intake = intakeClosed }

// enqueue keeps a line for the transfer's end. Reading goes on until then, or ABOR and the connection's end would not be
// seen. AUTH and CCC change how input is decoded, so they are refused when their turn comes if they came during a transfer.
// A REIN that ends TLS stops reading until it has run: a transfer that runs is completed first (RFC 959). encrypted:
// the connection carries TLS.
func (p *pipeline) enqueue(l wire.Line, verb string, encrypted bool) {
	if wire.SwitchesEncoding(verb) {
		l.Late = verb != "REIN"
		if verb == "REIN" && encrypted {
			p.intake = intakePaused
		}
	}
	p.queue = append(p.queue, l)
}

// dequeue takes the next command that waited out of the queue; ok is false if none may be executed now.
func (p *pipeline) dequeue() (next wire.Line, ok bool) {
	if p.transfer != nil || len(p.queue) == 0 || p.closed() {
		return wire.Line{}, false
	}
	next = p.queue[0]
	if p.queue = p.queue[1:]; len(p.queue) == 0 {
		p.queue = nil
		if p.intake == intakePaused {
			p.intake = intakeOpen
		}
	}
	return next, true
}

// takeToRun returns the transfer that has just begun, for the caller to run without the lock; nil if there is none.
func (p *pipeline) takeToRun() *transfer.Transfer {
	t := p.toRun
	p.toRun = nil
	return t
}
