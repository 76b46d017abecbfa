package wire

import (
	"bufio"
	"io"
	"strconv"
	"strings"
	"sync"
)

// Writer writes replies to a control connection, each one whole, from any goroutine.
type Writer struct {
	mu     sync.Mutex
	buf    *bufio.Writer
	failed func() // called when a write failed: the session is over
	names  Names
	sent   func(code int) // called before each reply is written
}

// NewWriter writes to conn, which has to bound by itself for how long it may block. It calls sent with
// the code of each reply, and failed when a write has failed.
func NewWriter(conn io.Writer, sent func(code int), failed func()) *Writer {
	return &Writer{buf: bufio.NewWriterSize(conn, 1024), failed: failed, sent: sent}
}

// Reset makes replies go another way from now on.
func (w *Writer) Reset(conn io.Writer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Reset(conn)
}

// UseNames makes replies write names so from now on.
func (w *Writer) UseNames(n Names) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.names = n
}

// Reply writes one line: "226 Transfer complete".
func (w *Writer) Reply(code int, text string) {
	w.sent(code)
	w.write(func(b *bufio.Writer) error { return w.line(b, code, ' ', text) })
}

// ReplyLines writes a reply of several lines (RFC 959 section 4.2): first and last carry the code,
// those between are indented by one blank, so that none can be taken for the last.
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

// ReplyStream is multi with lines that are produced one by one. Other replies wait until it ends.
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

// WriteRaw sends bytes as they are: a Telnet answer.
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

// line writes a line. The caller holds the lock.
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

// clean makes text safe for a reply, a terminal and the Telnet protocol: one line without control characters, names
// in it as the client writes them, and Telnet's IAC (0xFF) doubled (RFC 3659 section 2.2).
func (w *Writer) clean(text string) string {
	return strings.ReplaceAll(w.names.Show(text), "\xff", "\xff\xff")
}

// OneLine is text without control characters and what is no UTF-8.
func OneLine(text string) string { return Names{}.Show(text) }

// QuotePath is a path as a 257 reply has it: in double quotes, those within doubled.
func QuotePath(path string) string {
	return `"` + strings.ReplaceAll(path, `"`, `""`) + `"`
}
