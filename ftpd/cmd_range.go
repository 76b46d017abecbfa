package ftpd

import (
	"errors"
	"strconv"
	"strings"
)

var errRange = errors.New("write the first and the last octet, counted from 0, as decimal numbers")

// byteRange is a part of a file, from the octet start on and before the octet end.
type byteRange struct{ start, end int64 }

// within cuts the range to a file's size; ok is false if the file has nothing of it. A nil range
// is the whole file.
func (r *byteRange) within(size int64) (part byteRange, ok bool) {
	if r == nil {
		return byteRange{0, size}, true
	}
	return byteRange{r.start, min(r.end, size)}, r.start < size || r.start == 0
}

// parseRange reads RANG's argument: the first and the last octet, both included. Nil is the whole
// file, written as "1 0" (draft-bryan-ftp-range section 3).
func parseRange(arg string) (*byteRange, error) {
	first, last, found := strings.Cut(strings.TrimSpace(arg), " ")
	start, err1 := parseOffset(first)
	end, err2 := parseOffset(strings.TrimLeft(last, " "))
	switch {
	case !found || err1 != nil || err2 != nil:
		return nil, errRange
	case start == 1 && end == 0:
		return nil, nil
	case end < start || end+1 < 0:
		return nil, errRange
	}
	return &byteRange{start, end + 1}, nil
}

// cmdRang notes which part of a file the next RETR sends, or the next HASH or XCRC and its kin
// computes.
func (s *session) cmdRang(arg string) {
	r, err := parseRange(arg)
	if err != nil {
		s.reply(501, "Not understood: "+err.Error()+".")
		return
	}
	s.restart, s.part = 0, r
	if r == nil {
		s.reply(350, "No range. Send RETR or HASH.")
		return
	}
	s.reply(350, "Restarting at "+strconv.FormatInt(r.start, 10)+". Ending at "+strconv.FormatInt(r.end-1, 10)+". Send RETR or HASH.")
}
