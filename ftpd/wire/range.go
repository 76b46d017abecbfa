package wire

import (
	"errors"
	"strings"
)

// ParseSum parses the argument of XCRC: the name of a file, and optionally the first octet and the end of a part of
// it. A name without quotes may contain blanks and end with numbers, so the whole argument is the name if such a file
// is there, which the function there reports.
func ParseSum(arg string, there func(string) bool) (file string, part *ByteRange, err error) {
	arg = strings.TrimLeft(arg, " ")
	if arg == "" {
		return "", nil, errRange
	}
	if arg[0] == '"' {
		file, rest, err := firstWord(arg)
		if err != nil {
			return "", nil, err
		}
		part, err := parsePart(strings.Fields(rest))
		return file, part, err
	}
	if there(arg) {
		return arg, nil, nil
	}
	words := strings.Split(arg, " ")
	for n := min(2, len(words)-1); n > 0; n-- {
		if part, err := parsePart(words[len(words)-n:]); err == nil {
			return strings.Join(words[:len(words)-n], " "), part, nil
		}
	}
	return arg, nil, nil
}

// wholeFile is the end of a range that has no end: no file is that large.
const wholeFile = 1<<63 - 1

// parsePart parses where a part starts and, optionally, where it ends. It returns nil, the whole file, for no words.
func parsePart(words []string) (*ByteRange, error) {
	part := ByteRange{End: wholeFile}
	for i, word := range words {
		n, err := ParseOffset(word)
		switch {
		case err != nil || i > 1:
			return nil, errRange
		case i == 0:
			part.Start = n
		default:
			part.End = n
		}
	}
	switch {
	case len(words) == 0:
		return nil, nil
	case part.End < part.Start:
		return nil, errRange
	}
	return &part, nil
}

var errRange = errors.New("write the first and the last octet, counted from 0, as decimal numbers")

// ByteRange is a part of a file: the octets from Start up to, but not including, End.
type ByteRange struct{ Start, End int64 }

// Within cuts the range to a file of size octets. ok is false if no octet of the file is in the range. A nil range is
// the whole file, and a range that starts at 0 is within an empty file, too.
func (r *ByteRange) Within(size int64) (part ByteRange, ok bool) {
	if r == nil {
		return ByteRange{0, size}, true
	}
	return ByteRange{r.Start, min(r.End, size)}, r.Start < size || r.Start == 0
}

// ParseRange parses the argument of RANG: the first and the last octet, both included. It returns nil, the whole
// file, for "1 0" (draft-bryan-ftp-range section 3).
func ParseRange(arg string) (*ByteRange, error) {
	first, last, found := strings.Cut(strings.TrimSpace(arg), " ")
	start, err1 := ParseOffset(first)
	end, err2 := ParseOffset(strings.TrimLeft(last, " "))
	switch {
	case !found || err1 != nil || err2 != nil:
		return nil, errRange
	case start == 1 && end == 0:
		return nil, nil
	case end < start || end+1 < 0:
		return nil, errRange
	}
	return &ByteRange{start, end + 1}, nil
}
