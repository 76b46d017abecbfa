package ftpd

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
)

const (
	// maxLine is the longest command line taken, in bytes without its end.
	maxLine = 4096
	// readAhead is how many lines are read before the first of them was executed. A client that
	// pipelines more has to wait, by TCP's own means.
	readAhead = 16
)

// errLineTooLong is a line of more than maxLine bytes. It was skipped; the next one is intact.
var errLineTooLong = errors.New("command line too long")

// line is what the control connection brought: a command line without its end, or an error.
// Every error but errLineTooLong is the last that comes.
type line struct {
	text string
	err  error
	// held: the reader waits for goOn before it reads more, since the line may change what the
	// connection carries (AUTH, CCC, REIN).
	held bool
	// late: it came while a transfer ran, and can't be held back until that ends.
	late bool
}

// controlReader cuts a control connection into lines, in a goroutine of its own, so that the
// session sees ABOR, STAT and QUIT while a transfer runs and learns at once when the client has
// gone.
type controlReader struct {
	lines chan line
	// ended is set once the client has closed its side or the connection failed.
	ended atomic.Bool
	// quit is set once a QUIT was read, so that the end that follows it is a proper one.
	quit atomic.Bool

	src    *bufio.Reader
	answer func([]byte) // sends a Telnet answer
	telnet telnetFilter
	resume chan struct{} // told by goOn
	held   bool          // wait for goOn before the first line, too
}

// newControlReader reads from src; answer sends refusals of Telnet options.
func newControlReader(src io.Reader, answer func([]byte)) *controlReader {
	return &controlReader{
		lines:  make(chan line, readAhead),
		src:    bufio.NewReaderSize(src, 4096),
		answer: answer,
		resume: make(chan struct{}, 1),
	}
}

// goOn lets the reader read on after a line that was held.
func (r *controlReader) goOn() { r.resume <- struct{}{} }

// become makes the reader read from another source, as at a connection's begin. What was read
// ahead from the old one is thrown away. Only while the reader holds.
func (r *controlReader) become(src io.Reader) {
	r.src.Reset(src)
	r.telnet = telnetFilter{}
}

// holds are the verbs after which the connection may carry something else than before.
func holds(verb string) bool { return verb == "AUTH" || verb == "CCC" || verb == "REIN" }

// run reads until the connection ends or ctx does. gone is called when the connection ends.
func (r *controlReader) run(ctx context.Context, gone func()) {
	if r.held && !r.wait(ctx) {
		return
	}
	for {
		l := r.read()
		last := l.err != nil && !errors.Is(l.err, errLineTooLong)
		if last {
			r.ended.Store(true)
			gone()
		} else {
			verb, _ := parseCommand(l.text)
			l.held = holds(verb)
			if verb == "QUIT" {
				r.quit.Store(true)
			}
		}
		select {
		case r.lines <- l:
		case <-ctx.Done():
			return
		}
		if last {
			return
		}
		if l.held && !r.wait(ctx) {
			return
		}
	}
}

// wait waits for goOn; false if ctx ends before.
func (r *controlReader) wait(ctx context.Context) bool {
	select {
	case <-r.resume:
		return true
	case <-ctx.Done():
		return false
	}
}

// read returns the next line. Lines end with LF; a CR before it belongs to the end.
func (r *controlReader) read() line {
	var text []byte
	tooLong := false
	for {
		b, err := r.src.ReadByte()
		if err != nil {
			return line{err: err} // a line without an end is not a command: it may be cut short
		}
		b, ok, answer := r.telnet.next(b)
		if answer != nil {
			r.answer(answer)
		}
		switch {
		case !ok:
		case b == '\n':
			if tooLong {
				return line{err: errLineTooLong}
			}
			if n := len(text); n > 0 && text[n-1] == '\r' {
				text = text[:n-1]
			}
			return line{text: string(text)}
		case len(text) > maxLine: // one more than maxLine, for the CR
			tooLong = true
		default:
			text = append(text, b)
		}
	}
}

// parseCommand cuts a line into its verb, in upper case, and its argument, which is everything
// after the first blank: a file name may begin and end with blanks.
func parseCommand(text string) (verb, arg string) {
	verb, arg, _ = strings.Cut(text, " ")
	return strings.ToUpper(verb), arg
}
