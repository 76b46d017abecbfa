package wire

import (
	"bufio"
	"io"
	"strconv"
	"strings"
	"sync"
)

// Writer writes replies to a control connection. It is safe for concurrent use, and it writes each reply as a whole.
type Writer struct {
	mu     sync.Mutex
	buf    *bufio.Writer
	failed func() // called when a write has failed: the session is over
	names  Names
	sent   func(code int) // called before each reply is written
}

// NewWriter returns a Writer to conn, whose Write must itself bound how long it blocks. The Writer calls sent with
// the code of each reply before it is written, and failed when a write has failed.
func NewWriter(conn io.Writer, sent func(code int), failed func()) *Writer {
	return &Writer{buf: bufio.NewWriterSize(conn, 1024), failed: failed, sent: sent}
}

// Reset makes the Writer write to conn from now on.
func (w *Writer) Reset(conn io.Writer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Reset(conn)
}

// UseNames makes the Writer convert the names in replies with n from now on.
func (w *Writer) UseNames(n Names) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.names = n
}

// Reply writes a reply of one line, such as "226 Transfer complete".
func (w *Writer) Reply(code int, text string) {
	w.sent(code)
	w.write(func(b *bufio.Writer) error { return w.line(b, code, ' ', text) })
}

// ReplyLines writes a reply of several lines (RFC 959 section 4.2). The first and the last line start with the code.
// The lines between start with a blank, so a client can't mistake any of them for the last.
func (w *Writer) ReplyLines(code int, first string, lines []string, last string) {
	w.ReplyStream(code, first, last, func(line func(string) error) error {
		for _, l := range lines {
			if err := line(l); err != nil {
				return err
			}
		}
		return nil
	})
}

// ReplyStream is like ReplyLines, but produce generates the lines one by one. Other replies wait until produce
// returns.
func (w *Writer) ReplyStream(code int, first, last string, produce func(line func(string) error) error) {
	w.sent(code)
	w.write(func(b *bufio.Writer) error {
		if err := w.line(b, code, '-', first); err != nil {
			return err
		}
		err := produce(func(l string) error {
			_, err := b.WriteString(" " + w.clean(l) + "\r\n")
			return err
		})
		if err != nil {
			return err
		}
		return w.line(b, code, ' ', last)
	})
}

// WriteRaw writes bytes as they are, for answers of the Telnet protocol.
func (w *Writer) WriteRaw(p []byte) {
	w.write(func(b *bufio.Writer) error {
		_, err := b.Write(p)
		return err
	})
}

func (w *Writer) write(produce func(*bufio.Writer) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := produce(w.buf)
	if err == nil {
		err = w.buf.Flush()
	}
	if err != nil {
		w.failed()
	}
}

// line writes one line of a reply. The caller holds mu.
func (w *Writer) line(b *bufio.Writer, code int, separator byte, text string) error {
	_, err := b.Write(append(strconv.AppendInt(b.AvailableBuffer(), int64(code), 10), separator))
	if err == nil {
		_, err = b.WriteString(w.clean(text))
	}
	if err == nil {
		_, err = b.WriteString("\r\n")
	}
	return err
}

// clean makes text safe for a reply, a terminal and the Telnet protocol: it is one line without control characters,
// its names are encoded for the client, and Telnet's IAC (0xFF) is doubled (RFC 3659 section 2.2).
func (w *Writer) clean(text string) string {
	return strings.ReplaceAll(w.names.Show(text), "\xff", "\xff\xff")
}

// OneLine returns text with its control characters, and bytes that are not UTF-8, escaped as in Names.
func OneLine(text string) string { return Names{}.Show(text) }

// QuotePath returns path as a 257 reply quotes it: in double quotes, with the quotes in it doubled.
func QuotePath(path string) string {
	return `"` + strings.ReplaceAll(path, `"`, `""`) + `"`
}
