package wire

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

var (
	// ErrFacts means that a list of facts is malformed.
	ErrFacts = errors.New("write each fact as Name=value; and a blank before the name of the file")
	// ErrFactName means that a fact can't be set, other than Create.
	ErrFactName = errors.New("only Modify and UNIX.mode can be set")
	// ErrCreateFact means that the list has the fact Create, which can't be set.
	ErrCreateFact = errors.New("the time of creation can't be set here")
)

// FactChanges holds the facts that an MFF command sets. A nil field leaves the fact as it is.
type FactChanges struct {
	Modify *time.Time
	Mode   *fs.FileMode
}

// String returns the facts in the form of MFF's reply.
func (c FactChanges) String() string {
	var b strings.Builder
	if c.Modify != nil {
		b.WriteString("Modify=" + FormatTime(*c.Modify) + ";")
	}
	if c.Mode != nil {
		fmt.Fprintf(&b, "UNIX.mode=%04o;", *c.Mode)
	}
	return b.String()
}

// ParseFactChanges parses MFF's list of facts, in which a semicolon ends each fact (draft-somers-ftp-mfxx section
// 5.1). It returns ErrCreateFact or ErrFactName (errors.Is) for a fact that can't be set, and ErrFacts for a list
// that is malformed.
func ParseFactChanges(text string) (FactChanges, error) {
	var c FactChanges
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

// ParseUtime parses the argument of SITE UTIME, which has two forms: a time and a name, or a name, its times of
// access, modification and creation, and the word UTC. In the first form the time may lack its seconds. ParseUtime
// returns the name and the time of modification.
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
