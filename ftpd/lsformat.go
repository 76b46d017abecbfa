package ftpd

import (
	"fmt"
	"io/fs"
	"time"
)

// halfYear is how old a file may be for ls(1) to show its hour instead of its year.
const halfYear = 182 * 24 * time.Hour

// lsLine is an entry as LIST shows it, which clients know how to read: ls -l with the time in
// UTC, and with an owner that tells nothing about this machine.
func lsLine(e entry, now time.Time) string {
	modified := e.info.ModTime().UTC()
	when := modified.Format("Jan _2 15:04")
	if age := now.Sub(modified); age > halfYear || age < -time.Hour {
		when = modified.Format("Jan _2  2006")
	}
	return fmt.Sprintf("%s %4d ftp      ftp      %12d %s %s", lsMode(e.info.Mode()), links(e.info), e.info.Size(), when, e.name)
}

// lsMode is the ten letters at the line's begin.
func lsMode(mode fs.FileMode) string {
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
	return string(kind) + mode.Perm().String()[1:]
}
