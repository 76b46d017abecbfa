package ftpd

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/auth"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

func (s *session) cmdCwd(arg string) error {
	name, err := s.path(arg)
	if err != nil {
		return err
	}
	return s.changeDir(name)
}

func (s *session) cmdCdup(string) error {
	name, err := s.path("..")
	if err != nil {
		return err
	}
	return s.changeDir(name)
}

func (s *session) changeDir(name string) error {
	info, err := s.login.fs.Stat(name)
	switch {
	case err != nil:
		return refuseStorage(name, err)
	case !info.IsDir():
		return refuse(550, name+": not a directory.")
	default:
		s.cwd = name
		return s.answer(250, "Directory changed to "+name)
	}
}

func (s *session) cmdPwd(string) error {
	return s.answer(257, wire.QuotePath(s.cwd)+" is the current directory.")
}

func (s *session) cmdMkd(arg string) error {
	name, err := s.path(arg)
	if err != nil {
		return err
	}
	if err := s.changed("mkdir", name, 257, s.login.fs.Mkdir(name)); err != nil {
		return err
	}
	return s.answer(257, wire.QuotePath(name)+" created.")
}

func (s *session) cmdRmd(arg string) error {
	name, err := s.path(arg)
	if err != nil {
		return err
	}
	if err := s.changed("rmdir", name, 250, s.login.fs.Rmdir(name)); err != nil {
		return err
	}
	return s.answer(250, "Directory removed.")
}

func (s *session) cmdDele(arg string) error {
	name, err := s.filePath(arg)
	if err != nil {
		return err
	}
	if err := s.changed("delete", name, 250, s.login.fs.Remove(name)); err != nil {
		return err
	}
	return s.answer(250, "File deleted.")
}

// cmdRnfr records the name that RNTO, which must be the next command, renames.
func (s *session) cmdRnfr(arg string) error {
	name, _, err := s.stat(arg)
	if err != nil {
		return err
	}
	s.renameFrom = name
	return s.answer(350, "Now RNTO.")
}

func (s *session) cmdRnto(arg string) error {
	from := s.renameFrom
	s.renameFrom = ""
	if from == "" {
		return refuse(503, "Send RNFR immediately before RNTO.")
	}
	to, err := s.path(arg)
	if err != nil {
		return err
	}
	if info, err := s.login.fs.Lstat(from); err == nil && !info.IsDir() && wire.NamesDirectory(arg) {
		return refuseStorage(to, storage.ErrIsDirectory)
	}
	if err := s.changed("rename", to, 250, s.rename(from, to), slog.String("from", wire.LoggableText(from))); err != nil {
		return err
	}
	return s.answer(250, "Renamed.")
}

// rename renames a file or directory. It never replaces a file if the user may not overwrite.
func (s *session) rename(from, to string) error {
	if s.rights().CanOverwrite() {
		return s.login.fs.Rename(from, to)
	}
	return s.login.fs.RenameNew(from, to)
}

// cmdComb appends files (the parts) to another file, which is created if it does not exist, and then removes the
// parts. A client can so upload a file in parts.
func (s *session) cmdComb(arg string) error {
	names, err := wire.SplitWords(arg)
	if err != nil || len(names) < 2 {
		return refuse(501, `Syntax: COMB "<target>" "<part>" ...`)
	}
	for i := range names {
		if names[i], err = s.filePath(names[i]); err != nil {
			return err
		}
	}
	target, parts := names[0], names[1:]
	o := storage.CreateOptions{Append: true}
	err = s.restrict("COMB", target, &o)
	if err == nil && !s.rights().Has(auth.Read|auth.Delete) {
		s.auditDenied("COMB", arg)
		err = fs.ErrPermission
	}
	if err != nil {
		return refuseStorage(target, err)
	}
	view := s.login.fs
	work := func(ctx context.Context) transfer.Result {
		err := storage.Combine(ctx, view, target, parts)
		switch {
		case err == nil:
			return transfer.Result{Code: 250, Text: "Combined into " + target}
		case errors.Is(err, storage.ErrPartsRemain):
			return transfer.Result{Code: 250, Text: "Combined into " + target + ", but not all parts could be removed.", Err: err}
		}
		code, text := fsReply(err)
		return transfer.Result{Code: code, Text: target + ": " + text, Err: err}
	}
	s.beginWork(transfer.Plan{Verb: "COMB", Path: target, Work: work, Change: "combine", From: strings.Join(parts, " ")})
	return nil
}
