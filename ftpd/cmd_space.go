package ftpd

import (
	"context"
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/auth"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// cmdAvbl tells how many octets can still be stored in a directory (draft-peterson-streamlined-ftp-command-extensions).
func (s *session) cmdAvbl(arg string) {
	name, ok := s.path(arg)
	if !ok {
		return
	}
	info, err := s.login.fs.Stat(name)
	if err == nil && !info.IsDir() {
		err = storage.ErrNotDirectory
	}
	if err != nil {
		s.refuse(name, err)
		return
	}
	n, err := storage.Available(s.login.fs, name)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		s.reply(550, name+": what is available is not known.")
	case err != nil:
		s.refuse(name, err)
	default:
		s.reply(213, strconv.FormatInt(n, 10))
	}
}

// siteQuota tells what the user may store, and what he has stored.
func (s *session) siteQuota(string) {
	q, err := storage.QuotaOf(s.login.fs)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		s.reply(200, "You have no quota.")
	case err != nil:
		s.refuse("quota", err)
	default:
		s.out.ReplyLines(200, "Your quota:", q.Lines(), "End of quota.")
	}
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
