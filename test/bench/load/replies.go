package load

import (
	"bytes"
	"errors"
)

// replies holds what has come on a control connection, and finds the replies in it without allocating memory.
type replies struct {
	buf        [2048]byte
	start, end int
}

// space returns where the next bytes go, and makes what next has returned invalid. It fails if a line is longer than
// the buffer.
func (r *replies) space() ([]byte, error) {
	r.end = copy(r.buf[:], r.buf[r.start:r.end])
	r.start = 0
	if r.end == len(r.buf) {
		return nil, errors.New("a line is too long")
	}
	return r.buf[r.end:], nil
}

// grew takes n bytes that were written to the space.
func (r *replies) grew(n int) { r.end += n }

// next takes the next reply and returns its last line, without its end, or nil if it has not come yet.
func (r *replies) next() []byte {
	for {
		i := bytes.IndexByte(r.buf[r.start:r.end], '\n')
		if i < 0 {
			return nil
		}
		line := bytes.TrimRight(r.buf[r.start:r.start+i], "\r")
		r.start += i + 1
		if len(line) >= 4 && line[3] == ' ' && '1' <= line[0] && line[0] <= '6' {
			return line
		}
	}
}

// epsvPort parses "229 text (|||port|)".
func epsvPort(line []byte) (uint16, bool) {
	if !bytes.HasPrefix(line, []byte("229 ")) {
		return 0, false
	}
	_, digits, ok := bytes.Cut(line, []byte("(|||"))
	if !ok {
		return 0, false
	}
	port := 0
	for n, c := range digits {
		switch {
		case c == '|':
			return uint16(port), n > 0 && port > 0
		case c < '0' || c > '9':
			return 0, false
		}
		if port = 10*port + int(c-'0'); port > 65535 {
			return 0, false
		}
	}
	return 0, false
}
