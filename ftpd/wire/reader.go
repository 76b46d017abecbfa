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

// maxLine is the longest command line taken, in bytes without its end.
const maxLine = 4096

// errLineTooLong is a line of more than maxLine bytes. It was skipped; the next one is intact.
var errLineTooLong = errors.New("command line too long")

// Line is what the control connection brought: a command line without its end, or an error.
// Every error but errLineTooLong is the last that comes.
type Line struct {
	Text string
	Err  error
	// Late: it came while a transfer ran, and can't be held back until that ends.
	Late bool
}

// Last reports whether the line is the end of the control connection.
func (l Line) Last() bool { return l.Err != nil && !errors.Is(l.Err, errLineTooLong) }

// Reader cuts a control connection into lines. It is for one goroutine at a time, but for
// its flags.
type Reader struct {
	// Ended is set once the client has closed its side or the connection failed.
	Ended atomic.Bool
	// Quit is set once a QUIT was read, so that the end that follows it is a proper one.
	Quit atomic.Bool

	src    *bufio.Reader
	text   []byte       // of the line that is being read
	answer func([]byte) // sends a Telnet answer
	telnet telnetFilter
}

// BufferSize is how much is read at a time. Most commands are shorter than a hundred bytes.
const BufferSize = 512

// NewReader reads from src; answer sends refusals of Telnet options.
func NewReader(src io.Reader, answer func([]byte)) *Reader {
	return &Reader{src: bufio.NewReaderSize(src, BufferSize), answer: answer}
}

// Reset makes the reader read from another source, as at a connection's begin. What was read
// ahead from the old one is thrown away. Nobody may be reading.
func (r *Reader) Reset(src io.Reader) {
	r.src.Reset(src)
	r.telnet = telnetFilter{}
}

// SwitchesEncoding are the verbs after which the connection may carry something else than before.
func SwitchesEncoding(verb string) bool { return verb == "AUTH" || verb == "CCC" || verb == "REIN" }

// Next returns the next line, and notes what it means for the connection.
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

// read returns the next line that is not empty. Lines end with LF; what tidy takes off belongs to their ends.
func (r *Reader) read() Line {
	text := r.text[:0]
	defer func() { r.keep(text) }()
	tooLong := false
	for {
		b, err := r.src.ReadByte()
		if err != nil {
			return Line{Err: err} // a line without an end is not a command: it may be cut short
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
		case len(text) > maxLine: // one more than maxLine, for the CR
			tooLong = true
		default:
			text = append(text, b)
		}
	}
}

// tidy takes off a line what old devices send around commands and what is in no command: CR at both ends (CR CR LF, LF
// CR), the final NUL of strings, but for arguments, which no NUL may end, blanks before the verb, and Telnet commands of
// which a part was lost. TCP takes urgent data out of the stream where somebody on the way does not read it inline (a proxy, as a rule), so
// that of IAC IP IAC DM, which precedes ABOR, any bytes may come. All of them are above 0xEF, and no verb begins so.
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

// keep keeps a line's buffer for the next one, unless it has grown.
func (r *Reader) keep(text []byte) {
	if r.text = text; cap(text) > BufferSize {
		r.text = nil
	}
}

// ParseCommand cuts a line into its verb, in upper case, and its argument, which is everything
// after the first blank: a file name may begin and end with blanks.
func ParseCommand(text string) (verb, arg string) {
	verb, arg, _ = strings.Cut(text, " ")
	return strings.ToUpper(verb), arg
}

// AwaitEnd waits until the client closes its side (true), sends too much, or the connection's
// read deadline passes. It takes nothing of what comes.
func (r *Reader) AwaitEnd() bool {
	for n := r.src.Buffered() + 1; n <= r.src.Size(); n = r.src.Buffered() + 1 {
		if _, err := r.src.Peek(n); err != nil {
			return !errors.Is(err, os.ErrDeadlineExceeded)
		}
	}
	return false
}
