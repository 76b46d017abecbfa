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

func (s *session) cmdCwd(arg string) {
	if name, ok := s.path(arg); ok {
		s.changeDir(name)
	}
}

func (s *session) cmdCdup(string) {
	name, _ := s.path("..")
	s.changeDir(name)
}

func (s *session) changeDir(name string) {
	info, err := s.login.fs.Stat(name)
	switch {
	case err != nil:
		s.refuse(name, err)
	case !info.IsDir():
		s.reply(550, name+": not a directory.")
	default:
		s.cwd = name
		s.reply(250, "Directory changed to "+name)
	}
}

func (s *session) cmdPwd(string) {
	s.reply(257, wire.QuotePath(s.cwd)+" is the current directory.")
}

func (s *session) cmdMkd(arg string) {
	name, ok := s.path(arg)
	if !ok {
		return
	}
	if s.changed("mkdir", name, 257, s.login.fs.Mkdir(name)) {
		s.reply(257, wire.QuotePath(name)+" created.")
	}
}

func (s *session) cmdRmd(arg string) {
	name, ok := s.path(arg)
	if !ok {
		return
	}
	if s.changed("rmdir", name, 250, s.login.fs.Rmdir(name)) {
		s.reply(250, "Directory removed.")
	}
}

func (s *session) cmdDele(arg string) {
	name, ok := s.filePath(arg)
	if !ok {
		return
	}
	if s.changed("delete", name, 250, s.login.fs.Remove(name)) {
		s.reply(250, "File deleted.")
	}
}

// cmdRnfr names what RNTO, which must be the next command, renames.
func (s *session) cmdRnfr(arg string) {
	name, _, ok := s.stat(arg)
	if !ok {
		return
	}
	s.renameFrom = name
	s.reply(350, "Now RNTO.")
}

func (s *session) cmdRnto(arg string) {
	from := s.renameFrom
	s.renameFrom = ""
	if from == "" {
		s.reply(503, "Send RNFR immediately before RNTO.")
		return
	}
	to, ok := s.path(arg)
	if !ok {
		return
	}
	if info, err := s.login.fs.Lstat(from); err == nil && !info.IsDir() && wire.NamesDirectory(arg) {
		s.refuse(to, storage.ErrIsDirectory)
		return
	}
	if s.changed("rename", to, 250, s.rename(from, to), slog.String("from", wire.LoggableText(from))) {
		s.reply(250, "Renamed.")
	}
}

// rename does not replace a file for a user who may not.
func (s *session) rename(from, to string) error {
	if s.rights().CanOverwrite() {
		return s.login.fs.Rename(from, to)
	}
	return s.login.fs.RenameNew(from, to)
}

// cmdComb adds files to the end of another, which may be new, and removes them: what a client has
// sent in parts becomes one file.
func (s *session) cmdComb(arg string) {
	names, err := wire.SplitWords(arg)
	if err != nil || len(names) < 2 {
		s.reply(501, `Syntax: COMB "<target>" "<part>" ...`)
		return
	}
	for i := range names {
		var ok bool
		if names[i], ok = s.filePath(names[i]); !ok {
			return
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
		s.refuse(target, err)
		return
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
}
