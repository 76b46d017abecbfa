package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
)

// maxLine is the length in bytes of the longest command line that is accepted, without its line end.
const maxLine = 4096

// errLineTooLong reports a line of more than maxLine bytes. The line was skipped, and the next one is intact.
var errLineTooLong = errors.New("command line too long")

// Line is one result of reading the control connection: a command line without its line end, or an error. Every error
// except errLineTooLong is the last result.
type Line struct {
	Text string
	Err  error
	// Late reports that the line is an AUTH or CCC that arrived while a transfer ran. These verbs change how input is
	// decoded, so the session refuses such a line when its turn comes. The session sets Late; Reader does not.
	Late bool
}

// Last reports whether the control connection ends with this line.
func (l Line) Last() bool { return l.Err != nil && !errors.Is(l.Err, errLineTooLong) }

// Reader cuts a control connection into lines. Only one goroutine at a time may use it, except for the flags Ended
// and Quit.
type Reader struct {
	// Ended is set when the client has closed its side or the connection has failed.
	Ended atomic.Bool
	// Quit is set when a QUIT has been read, so the end of the connection that follows is an orderly one.
	Quit atomic.Bool

	src    *bufio.Reader
	text   []byte       // the line that is being read
	answer func([]byte) // sends a Telnet answer
	telnet telnetFilter
}

// BufferSize is the size in bytes of the read buffer. Most commands are shorter than a hundred bytes.
const BufferSize = 512

// NewReader returns a Reader that reads from src. The Reader calls answer to send refusals of Telnet options.
func NewReader(src io.Reader, answer func([]byte)) *Reader {
	return &Reader{src: bufio.NewReaderSize(src, BufferSize), answer: answer}
}

// Reset makes the Reader read from src, as for a new connection. It discards what was read ahead from the old source.
// No other goroutine may be reading.
func (r *Reader) Reset(src io.Reader) {
	r.src.Reset(src)
	r.telnet = telnetFilter{}
}

// SwitchesEncoding reports whether what follows the verb may be encoded differently, because TLS begins or ends.
func SwitchesEncoding(verb string) bool { return verb == "AUTH" || verb == "CCC" || verb == "REIN" }

// Next returns the next line. It sets Ended if the line is the last one, and Quit if it is a QUIT.
func (r *Reader) Next() Line {
	l := r.read()
	switch {
	case l.Last():
		r.Ended.Store(true)
	case len(l.Text) >= 4 && strings.EqualFold(l.Text[:4], "QUIT"):
		if verb, _ := ParseCommand(l.Text); verb == "QUIT" {
			r.Quit.Store(true)
		}
	}
	return l
}

// read returns the next line that is not empty. LF ends a line; tidy removes what else belongs to the line end.
func (r *Reader) read() Line {
	text := r.text[:0]
	defer func() { r.keep(text) }()
	tooLong := false
	for {
		b, err := r.src.ReadByte()
		if err != nil {
			return Line{Err: err} // an unfinished line is not a command: it may be cut short
		}
		b, ok, answer := r.telnet.next(b)
		if answer != nil {
			r.answer(answer)
		}
		switch {
		case !ok:
		case b == '\n':
			if tooLong {
				return Line{Err: errLineTooLong}
			}
			if tidied := tidy(text); len(tidied) > 0 {
				return Line{Text: string(tidied)}
			}
			text = text[:0]
		case len(text) > maxLine: // one byte more than maxLine, for the CR
			tooLong = true
		default:
			text = append(text, b)
		}
	}
}

// tidy removes from a line what is not part of a command: CR at both ends, since some devices end lines by two CR and a LF, or by a LF and a CR; the NUL that
// terminates strings, if the line has no argument, since no argument may end with NUL; blanks before the verb; and
// remains of Telnet commands.
//
// A client sends IAC IP IAC DM before ABOR as urgent data. Where a peer on the way (a proxy, as a rule) does not read
// urgent data inline, TCP takes it out of the stream, so any part of these four bytes may arrive. All of them are
// above 0xEF, and no verb starts with such a byte.
func tidy(text []byte) []byte {
	text = bytes.TrimRight(text, "\r")
	if bytes.IndexByte(text, ' ') < 0 {
		text = bytes.TrimRight(text, "\r\x00")
	}
	for len(text) > 0 && (text[0] >= telnetSE || bytes.IndexByte([]byte("\r\x00 \t"), text[0]) >= 0) {
		text = text[1:]
	}
	return text
}

// keep keeps the line's buffer for the next line, unless it has grown beyond BufferSize.
func (r *Reader) keep(text []byte) {
	if r.text = text; cap(text) > BufferSize {
		r.text = nil
	}
}

// ParseCommand splits a line into its verb, in upper case, and its argument. The argument is everything after the
// first blank: a file name may start and end with blanks.
func ParseCommand(text string) (verb, arg string) {
	verb, arg, _ = strings.Cut(text, " ")
	return strings.ToUpper(verb), arg
}

// AwaitEnd waits until the client closes its side or the connection fails, and returns true. It returns false if the
// connection's read deadline passes or the client sends more than the buffer holds. It consumes no input.
func (r *Reader) AwaitEnd() bool {
	for n := r.src.Buffered() + 1; n <= r.src.Size(); n = r.src.Buffered() + 1 {
		if _, err := r.src.Peek(n); err != nil {
			return !errors.Is(err, os.ErrDeadlineExceeded)
		}
	}
	return false
}
