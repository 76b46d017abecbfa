package ftpd

import (
	"errors"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// cmdSize replies with the exact size in octets, or refuses (RFC 3659 section 4). In TYPE A it refuses, because it
// would have to read the file.
func (s *session) cmdSize(arg string) error {
	name, info, err := s.stat(arg)
	if err != nil {
		return err
	}
	switch {
	case !info.Mode().IsRegular():
		return refuse(550, name+": not a plain file.")
	case s.ascii:
		return refuse(550, "SIZE is known in TYPE I only.")
	default:
		return s.answer(213, strconv.FormatInt(info.Size(), 10))
	}
}

// cmdMdtm replies with the modification time (RFC 3659 section 3). If the argument is a time and a name, and no file
// has that whole argument as its name, it sets the time: clients that do not know MFMT send this, and other servers
// accept it.
func (s *session) cmdMdtm(arg string) error {
	if stamp, file, found := strings.Cut(arg, " "); found && file != "" {
		if t, err := wire.ParseTime(stamp); err == nil && !s.fileThere(arg) {
			return s.mdtmSet(file, t)
		}
	}
	if !s.rights().CanList() {
		s.auditDenied("MDTM", arg)
		return s.denied()
	}
	_, info, err := s.stat(arg)
	if err != nil {
		return err
	}
	return s.answer(213, wire.FormatTime(info.ModTime()))
}

// cmdMfmt sets the modification time (draft-somers-ftp-mfxx).
func (s *session) cmdMfmt(arg string) error {
	stamp, file, found := strings.Cut(arg, " ")
	t, err := wire.ParseTime(stamp)
	if err != nil || !found || file == "" {
		return refuse(501, "Syntax: MFMT <YYYYMMDDHHMMSS> <file>, the time in UTC")
	}
	return s.setTime(file, t)
}

// mdtmSet sets the modification time for MDTM. It needs the same right as MFMT.
func (s *session) mdtmSet(file string, t time.Time) error {
	if !s.rights().CanOverwrite() {
		s.auditDenied("MDTM", file)
		return s.denied()
	}
	return s.setTime(file, t)
}

// setTime sets the modification time for MFMT and MDTM.
func (s *session) setTime(file string, t time.Time) error {
	name, err := s.path(file)
	if err != nil {
		return err
	}
	if err := s.changed("mtime", name, 213, s.login.fs.SetModTime(name, t), slog.Time("modified", t)); err != nil {
		return err
	}
	return s.answer(213, "Modify="+wire.FormatTime(t)+"; "+name)
}

// siteChmod sets the permission bits, as in SITE CHMOD 644 name.
func (s *session) siteChmod(arg string) error {
	text, file, found := strings.Cut(arg, " ")
	mode, err := wire.ParseMode(text)
	if err != nil || !found || file == "" {
		return refuse(501, "Syntax: SITE CHMOD <mode, three octal digits> <file>")
	}
	name, err := s.path(file)
	if err != nil {
		return err
	}
	if err := s.changed("chmod", name, 200, s.login.fs.Chmod(name, fs.FileMode(mode)), slog.String("mode", text)); err != nil {
		return err
	}
	return s.answer(200, "Mode set.")
}

// cmdMff sets facts, as in MFF Modify=20020717210715;UNIX.mode=0644; name.
func (s *session) cmdMff(arg string) error {
	facts, file, found := strings.Cut(arg, " ")
	if !found || file == "" {
		return refuse(501, "Syntax: MFF <facts> <file>; "+wire.ErrFacts.Error()+".")
	}
	changes, err := wire.ParseFactChanges(facts)
	switch {
	case errors.Is(err, wire.ErrCreateFact), errors.Is(err, wire.ErrFactName):
		return refuse(504, "Refused: "+err.Error()+".")
	case err != nil:
		return refuse(501, "Not understood: "+err.Error()+".")
	}
	name, err := s.path(file)
	if err != nil {
		return err
	}
	if changes.Mode != nil {
		if err := s.changed("chmod", name, 213, s.login.fs.Chmod(name, *changes.Mode), slog.String("mode", changes.Mode.String())); err != nil {
			return err
		}
	}
	if changes.Modify != nil {
		if err := s.changed("mtime", name, 213, s.login.fs.SetModTime(name, *changes.Modify), slog.Time("modified", *changes.Modify)); err != nil {
			return err
		}
	}
	return s.answer(213, changes.String()+" "+name)
}

// cmdMfct refuses to set the creation time, since no system that runs this daemon allows that. FEAT does not list
// MFCT.
func (s *session) cmdMfct(string) error {
	return refuse(504, "The time of creation can't be set here; MFMT sets the time of modification.")
}

// siteUtime sets the modification time, for clients that do not know MFMT.
func (s *session) siteUtime(arg string) error {
	file, t, err := wire.ParseUtime(arg)
	if err != nil {
		return refuse(501, "Syntax: SITE UTIME <YYYYMMDDHHMM[SS]> <file>, the time in UTC")
	}
	name, err := s.path(file)
	if err != nil {
		return err
	}
	if err := s.changed("mtime", name, 200, s.login.fs.SetModTime(name, t), slog.Time("modified", t)); err != nil {
		return err
	}
	return s.answer(200, "Time set.")
}
