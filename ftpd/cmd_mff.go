package ftpd

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"time"
)

var (
	errFacts      = errors.New("write each fact as Name=value; and a blank before the name of the file")
	errFactName   = errors.New("only Modify and UNIX.mode can be set")
	errCreateFact = errors.New("the time of creation can't be set here")
)

// factChanges are the facts that MFF sets; nil ones stay.
type factChanges struct {
	modify *time.Time
	mode   *fs.FileMode
}

// String lists the facts as MFF's reply does.
func (c factChanges) String() string {
	var b strings.Builder
	if c.modify != nil {
		b.WriteString("Modify=" + formatTime(*c.modify) + ";")
	}
	if c.mode != nil {
		fmt.Fprintf(&b, "UNIX.mode=%04o;", *c.mode)
	}
	return b.String()
}

// parseFactChanges reads MFF's facts, each ended by a semicolon
// (draft-somers-ftp-mfxx section 5.1). errCreateFact and errFactName (errors.Is) are facts that can't be
// set.
func parseFactChanges(text string) (factChanges, error) {
	var c factChanges
	list, ended := strings.CutSuffix(text, ";")
	if !ended {
		return c, errFacts
	}
	for fact := range strings.SplitSeq(list, ";") {
		name, value, found := strings.Cut(fact, "=")
		switch {
		case !found:
			return c, errFacts
		case strings.EqualFold(name, "Modify"):
			t, err := parseTime(value)
			if err != nil {
				return c, err
			}
			c.modify = &t
		case strings.EqualFold(name, "UNIX.mode"):
			n, err := parseMode(value)
			if err != nil {
				return c, err
			}
			mode := fs.FileMode(n)
			c.mode = &mode
		case strings.EqualFold(name, "Create"):
			return c, errCreateFact
		default:
			return c, errFactName
		}
	}
	return c, nil
}

// cmdMff sets facts: MFF Modify=20020717210715;UNIX.mode=0644; name.
func (s *session) cmdMff(arg string) {
	facts, file, found := strings.Cut(arg, " ")
	if !found || file == "" {
		s.reply(501, "Syntax: MFF <facts> <file>; "+errFacts.Error()+".")
		return
	}
	changes, err := parseFactChanges(facts)
	switch {
	case errors.Is(err, errCreateFact), errors.Is(err, errFactName):
		s.reply(504, "Refused: "+err.Error()+".")
		return
	case err != nil:
		s.reply(501, "Not understood: "+err.Error()+".")
		return
	}
	name, ok := s.path(file)
	if !ok {
		return
	}
	if changes.mode != nil && !s.changed("chmod", name, 213, s.fs.Chmod(name, *changes.mode), slog.String("mode", changes.mode.String())) {
		return
	}
	if changes.modify != nil && !s.changed("mtime", name, 213, s.fs.SetModTime(name, *changes.modify), slog.Time("modified", *changes.modify)) {
		return
	}
	s.reply(213, changes.String()+" "+name)
}

// cmdMfct would set the time of creation, which no system that runs this lets anybody set. FEAT
// does not list it.
func (s *session) cmdMfct(string) {
	s.reply(504, "The time of creation can't be set here; MFMT sets the time of modification.")
}

// parseUtime reads SITE UTIME's argument, of which there are two forms: a time and a name, and a
// name and its times of access, modification and creation with the word UTC. Times have seconds
// or, in the first form, not.
func parseUtime(arg string) (name string, t time.Time, err error) {
	fields := strings.Split(arg, " ")
	if n := len(fields); n >= 5 && strings.EqualFold(fields[n-1], "UTC") {
		t, err = parseTime(fields[n-3])
		for _, other := range []string{fields[n-4], fields[n-2]} {
			if _, bad := parseTime(other); bad != nil {
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
	if t, err = parseTime(stamp); err == nil && name == "" {
		err = errTime
	}
	return name, t, err
}

// siteUtime sets the modification time, for clients that don't know MFMT.
func (s *session) siteUtime(arg string) {
	file, t, err := parseUtime(arg)
	if err != nil {
		s.reply(501, "Syntax: SITE UTIME <YYYYMMDDHHMM[SS]> <file>, the time in UTC")
		return
	}
	name, ok := s.path(file)
	if !ok || !s.changed("mtime", name, 200, s.fs.SetModTime(name, t), slog.Time("modified", t)) {
		return
	}
	s.reply(200, "Time set.")
}
