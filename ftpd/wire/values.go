package wire

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// timeLayout is the layout of a time-val (RFC 3659 section 2.3), which is always in UTC.
const timeLayout = "20060102150405"

// The years of the times that files can be given. Outside of them file systems store other times: ext4 starts in
// 1901, and nanoseconds in 64 bits end in 2262.
const (
	minYear = 1902
	maxYear = 2261
)

var (
	// ErrOffset means that an offset is not a decimal number of at most 63 bits.
	ErrOffset = errors.New("write the offset in octets, as a decimal number")
	errTime   = errors.New("write the time as YYYYMMDDHHMMSS or YYYYMMDDHHMMSS.sss, in UTC, from 1902 to 2261")
	errMode   = errors.New("write the mode as three octal digits, such as 644")
)

// ParseOffset parses an offset of decimal digits only (RFC 3659 section 5.3), up to the largest size that a file can
// have.
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

// FormatTime returns t as a time-val in UTC, in whole seconds.
func FormatTime(t time.Time) string { return string(AppendTime(nil, t)) }

// AppendTime appends what FormatTime returns. It avoids time.Time.Format, which parses its layout each time:
// formatting times takes most of the time of a listing.
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

// AppendTwo appends n, from 0 to 99, as two digits.
func AppendTwo(b []byte, n int) []byte { return append(b, '0'+byte(n/10), '0'+byte(n%10)) }

// ParseTime parses a time-val, with or without a fraction of up to nine digits. The year must be from minYear to
// maxYear.
func ParseTime(text string) (time.Time, error) {
	whole, fraction, hasFraction := strings.Cut(text, ".")
	if len(whole) != len(timeLayout) || strings.Trim(whole+fraction, "0123456789") != "" {
		return time.Time{}, errTime
	}
	if hasFraction && (fraction == "" || len(fraction) > 9) {
		return time.Time{}, errTime
	}
	t, err := time.Parse(timeLayout, whole) // time.Parse also accepts a fraction, which is ruled out above
	if err != nil || t.Year() < minYear || t.Year() > maxYear {
		return time.Time{}, errTime
	}
	if hasFraction {
		nanos, _ := strconv.Atoi((fraction + "000000000")[:9]) // only digits: checked above
		t = t.Add(time.Duration(nanos))
	}
	return t, nil
}

// ParseMode parses permission bits: three octal digits, with or without a leading zero.
func ParseMode(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 8, 16)
	if err != nil || n > 0o777 || len(text) < 3 || len(text) > 4 {
		return 0, errMode
	}
	return uint32(n), nil
}
