package ftpd

import (
	"errors"
	"log/slog"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// cmdMff sets facts: MFF Modify=20020717210715;UNIX.mode=0644; name.
func (s *session) cmdMff(arg string) {
	facts, file, found := strings.Cut(arg, " ")
	if !found || file == "" {
		s.reply(501, "Syntax: MFF <facts> <file>; "+wire.ErrFacts.Error()+".")
		return
	}
	changes, err := wire.ParseFactChanges(facts)
	switch {
	case errors.Is(err, wire.ErrCreateFact), errors.Is(err, wire.ErrFactName):
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
	if changes.Mode != nil && !s.changed("chmod", name, 213, s.fs.Chmod(name, *changes.Mode), slog.String("mode", changes.Mode.String())) {
		return
	}
	if changes.Modify != nil && !s.changed("mtime", name, 213, s.fs.SetModTime(name, *changes.Modify), slog.Time("modified", *changes.Modify)) {
		return
	}
	s.reply(213, changes.String()+" "+name)
}

// cmdMfct would set the time of creation, which no system that runs this lets anybody set. FEAT
// does not list it.
func (s *session) cmdMfct(string) {
	s.reply(504, "The time of creation can't be set here; MFMT sets the time of modification.")
}

// siteUtime sets the modification time, for clients that don't know MFMT.
func (s *session) siteUtime(arg string) {
	file, t, err := wire.ParseUtime(arg)
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
