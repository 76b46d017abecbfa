package ftpd

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"sync/atomic"
)

// maxLine is the longest command line taken, in bytes without its end.
const maxLine = 4096

// errLineTooLong is a line of more than maxLine bytes. It was skipped; the next one is intact.
var errLineTooLong = errors.New("command line too long")

// line is what the control connection brought: a command line without its end, or an error.
// Every error but errLineTooLong is the last that comes.
type line struct {
	text string
	err  error
	// late: it came while a transfer ran, and can't be held back until that ends.
	late bool
}

// last reports whether the line is the end of the control connection.
func (l line) last() bool { return l.err != nil && !errors.Is(l.err, errLineTooLong) }

// controlReader cuts a control connection into lines. It is for one goroutine at a time, but for
// its flags.
type controlReader struct {
	// ended is set once the client has closed its side or the connection failed.
	ended atomic.Bool
	// quit is set once a QUIT was read, so that the end that follows it is a proper one.
	quit atomic.Bool

	src    *bufio.Reader
	text   []byte       // of the line that is being read
	answer func([]byte) // sends a Telnet answer
	telnet telnetFilter
}

// controlBuffer is how much is read at a time. Most commands are shorter than a hundred bytes.
const controlBuffer = 512

// newControlReader reads from src; answer sends refusals of Telnet options.
func newControlReader(src io.Reader, answer func([]byte)) *controlReader {
	return &controlReader{src: bufio.NewReaderSize(src, controlBuffer), answer: answer}
}

// become makes the reader read from another source, as at a connection's begin. What was read
// ahead from the old one is thrown away. Nobody may be reading.
func (r *controlReader) become(src io.Reader) {
	r.src.Reset(src)
	r.telnet = telnetFilter{}
}

// changes are the verbs after which the connection may carry something else than before.
func changes(verb string) bool { return verb == "AUTH" || verb == "CCC" || verb == "REIN" }

// next returns the next line, and notes what it means for the connection.
func (r *controlReader) next() line {
	l := r.read()
	switch {
	case l.last():
		r.ended.Store(true)
	case len(l.text) >= 4 && strings.EqualFold(l.text[:4], "QUIT"):
		if verb, _ := parseCommand(l.text); verb == "QUIT" {
			r.quit.Store(true)
		}
	}
	return l
}

// read returns the next line that is not empty. Lines end with LF; what tidy takes off belongs to their ends.
func (r *controlReader) read() line {
	text := r.text[:0]
	defer func() { r.keep(text) }()
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
			if tidied := tidy(text); len(tidied) > 0 {
				return line{text: string(tidied)}
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
func (r *controlReader) keep(text []byte) {
	if r.text = text; cap(text) > controlBuffer {
		r.text = nil
	}
}

// parseCommand cuts a line into its verb, in upper case, and its argument, which is everything
// after the first blank: a file name may begin and end with blanks.
func parseCommand(text string) (verb, arg string) {
	verb, arg, _ = strings.Cut(text, " ")
	return strings.ToUpper(verb), arg
}
