package wire

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// timeLayout is a time-val of RFC 3659 section 2.3, which is always UTC.
const timeLayout = "20060102150405"

// The years that files can be given: beyond them times are not stored as they are, but as others
// (ext4 begins in 1901, and nanoseconds in 64 bits end in 2262).
const (
	minYear = 1902
	maxYear = 2261
)

var (
	ErrOffset = errors.New("write the offset in octets, as a decimal number")
	errTime   = errors.New("write the time as YYYYMMDDHHMMSS or YYYYMMDDHHMMSS.sss, in UTC, from 1902 to 2261")
	errMode   = errors.New("write the mode as three octal digits, such as 644")
)

// ParseOffset reads digits only (RFC 3659 section 5.3), up to the largest size a file can have.
func ParseOffset(text string) (int64, error) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, ErrOffset
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, ErrOffset
	}
	return n, nil
}

// FormatTime writes a time-val, in whole seconds.
func FormatTime(t time.Time) string { return string(AppendTime(nil, t)) }

// AppendTime appends what FormatTime returns. In a listing it is what takes longest, so it is not
// left to Format, which reads its layout each time.
func AppendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(b, timeLayout)
	}
	hour, minute, second := t.Clock()
	b = AppendTwo(AppendTwo(b, year/100), year%100)
	b = AppendTwo(AppendTwo(b, int(month)), day)
	return AppendTwo(AppendTwo(AppendTwo(b, hour), minute), second)
}

// AppendTwo appends a number as two digits.
func AppendTwo(b []byte, n int) []byte { return append(b, '0'+byte(n/10), '0'+byte(n%10)) }

// ParseTime reads a time-val, with or without a fraction.
func ParseTime(text string) (time.Time, error) {
	whole, fraction, hasFraction := strings.Cut(text, ".")
	if len(whole) != len(timeLayout) || strings.Trim(whole+fraction, "0123456789") != "" {
		return time.Time{}, errTime
	}
	if hasFraction && (fraction == "" || len(fraction) > 9) {
		return time.Time{}, errTime
	}
	t, err := time.Parse(timeLayout, whole) // takes a fraction after the seconds, too: ruled out above
	if err != nil || t.Year() < minYear || t.Year() > maxYear {
		return time.Time{}, errTime
	}
	if hasFraction {
		nanos, _ := strconv.Atoi((fraction + "000000000")[:9]) // digits only, seen above
		t = t.Add(time.Duration(nanos))
	}
	return t, nil
}

// ParseMode reads permission bits: three octal digits, with or without a leading zero.
func ParseMode(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 8, 16)
	if err != nil || n > 0o777 || len(text) < 3 || len(text) > 4 {
		return 0, errMode
	}
	return uint32(n), nil
}
