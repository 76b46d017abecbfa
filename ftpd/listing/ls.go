package listing

import (
	"io/fs"
	"strconv"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// halfYear is the age of a file from which ls(1) shows its year instead of its time of day.
const halfYear = 182 * 24 * time.Hour

// recent returns the first and the last time at which ls(1) shows a file's time of day.
func recent(modified time.Time) (since, until time.Time) {
	return modified.Add(-time.Hour), modified.Add(halfYear)
}

// AppendLine appends an entry as LIST shows it: in the format of ls -l, which clients can parse, with the time in UTC
// and with an owner that reveals nothing about this machine. A symbolic link is shown with the letter, the
// permissions and the arrow of a link, but with the size and the time of its target, which is what a client that
// downloads it gets.
func AppendLine(b []byte, e Entry, now time.Time) []byte {
	mode := e.Info.Mode()
	if e.link.is {
		mode = fs.ModeSymlink | fs.ModePerm
	}
	b = appendLsMode(b, mode)
	b = appendPadded(append(b, ' '), links(e.Info), 4)
	b = append(b, " ftp      ftp      "...)
	b = appendPadded(b, uint64(max(0, e.Info.Size())), 12)
	modified := e.Info.ModTime().UTC()
	year, month, day := modified.Date()
	b = append(append(b, ' '), months[3*month-3:3*month]...)
	b = append(appendPadded(append(b, ' '), uint64(day), 2), ' ')
	if since, until := recent(modified); now.Before(since) || now.After(until) {
		b = strconv.AppendInt(append(b, ' '), int64(year), 10)
	} else {
		hour, minute, _ := modified.Clock()
		b = wire.AppendTwo(append(wire.AppendTwo(b, hour), ':'), minute)
	}
	b = append(append(b, ' '), e.Name...)
	if e.link.target != "" {
		b = append(append(b, " -> "...), e.link.target...)
	}
	return b
}

// months are the names of the months in ls(1), of three letters each.
const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

// appendPadded appends n, with blanks before it to fill at least width columns.
func appendPadded(b []byte, n uint64, width int) []byte {
	digits := 1
	for left := n; left >= 10; left /= 10 {
		digits++
	}
	for range width - digits {
		b = append(b, ' ')
	}
	return strconv.AppendUint(b, n, 10)
}

// appendLsMode appends the ten letters at the start of the line.
func appendLsMode(b []byte, mode fs.FileMode) []byte {
	kind := byte('-')
	switch {
	case mode.IsDir():
		kind = 'd'
	case mode&fs.ModeSymlink != 0:
		kind = 'l'
	case mode&fs.ModeNamedPipe != 0:
		kind = 'p'
	case mode&fs.ModeSocket != 0:
		kind = 's'
	case mode&fs.ModeCharDevice != 0:
		kind = 'c'
	case mode&fs.ModeDevice != 0:
		kind = 'b'
	}
	b = append(b, kind)
	for i, letter := range []byte("rwxrwxrwx") {
		if mode&(1<<(8-i)) == 0 {
			letter = '-'
		}
		b = append(b, letter)
	}
	return b
}
