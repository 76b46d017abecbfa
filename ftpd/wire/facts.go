package wire

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

var (
	ErrFacts      = errors.New("write each fact as Name=value; and a blank before the name of the file")
	ErrFactName   = errors.New("only Modify and UNIX.mode can be set")
	ErrCreateFact = errors.New("the time of creation can't be set here")
)

// factChanges are the facts that MFF sets; nil ones stay.
type factChanges struct {
	Modify *time.Time
	Mode   *fs.FileMode
}

// String lists the facts as MFF's reply does.
func (c factChanges) String() string {
	var b strings.Builder
	if c.Modify != nil {
		b.WriteString("Modify=" + FormatTime(*c.Modify) + ";")
	}
	if c.Mode != nil {
		fmt.Fprintf(&b, "UNIX.mode=%04o;", *c.Mode)
	}
	return b.String()
}

// ParseFactChanges reads MFF's facts, each ended by a semicolon
// (draft-somers-ftp-mfxx section 5.1). ErrCreateFact and ErrFactName (errors.Is) are facts that can't be
// set.
func ParseFactChanges(text string) (factChanges, error) {
	var c factChanges
	list, ended := strings.CutSuffix(text, ";")
	if !ended {
		return c, ErrFacts
	}
	for fact := range strings.SplitSeq(list, ";") {
		name, value, found := strings.Cut(fact, "=")
		switch {
		case !found:
			return c, ErrFacts
		case strings.EqualFold(name, "Modify"):
			t, err := ParseTime(value)
			if err != nil {
				return c, err
			}
			c.Modify = &t
		case strings.EqualFold(name, "UNIX.mode"):
			n, err := ParseMode(value)
			if err != nil {
				return c, err
			}
			mode := fs.FileMode(n)
			c.Mode = &mode
		case strings.EqualFold(name, "Create"):
			return c, ErrCreateFact
		default:
			return c, ErrFactName
		}
	}
	return c, nil
}

// ParseUtime reads SITE UTIME's argument, of which there are two forms: a time and a name, and a
// name and its times of access, modification and creation with the word UTC. Times have seconds
// or, in the first form, not.
func ParseUtime(arg string) (name string, t time.Time, err error) {
	fields := strings.Split(arg, " ")
	if n := len(fields); n >= 5 && strings.EqualFold(fields[n-1], "UTC") {
		t, err = ParseTime(fields[n-3])
		for _, other := range []string{fields[n-4], fields[n-2]} {
			if _, bad := ParseTime(other); bad != nil {
				err = bad
			}
		}
		if name = strings.Join(fields[:n-4], " "); err == nil && name != "" {
			return name, t, nil
		}
	}
	stamp, name, _ := strings.Cut(arg, " ")
	if len(stamp) == len("200607081010") {
		stamp += "00"
	}
	if t, err = ParseTime(stamp); err == nil && name == "" {
		err = errTime
	}
	return name, t, err
}
