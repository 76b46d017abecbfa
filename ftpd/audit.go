package ftpd

import (
	"context"
	"log/slog"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// The audit log has one line for each login, logout, transfer and change, or attempt at one, with
// the message "audit" and these keys:
//
//	event     login, logout, upload, download, delete, rename, mkdir, rmdir, chmod, mtime, combine,
//	          denied (a command beyond the user's rights) or ban
//	result    ok or failed
//	session   the session's number
//	peer      the client's address and port; proxy, if there is one, that told them
//	user      who is logged in, or wanted to be
//	tls       whether the control connection is encrypted; of a transfer, its data connection
//	code      the reply, where there is one
//	error     why it failed
//
// and, as it applies, path (of a rename the new one), from, mode, modified, verb, type, port (the
// server's end of the data connection, if there was one), bytes, duration and rate (bytes a second), access, anonymous, failures, why, subject, reason, count. What comes from a client is made safe for any
// log and any terminal. Nothing of it is ever a password.
const auditMessage = "audit"

// The results.
const (
	resultOK     = "ok"
	resultFailed = "failed"
)

// audit writes a line.
func (s *session) audit(level slog.Level, event, result string, code int, more ...slog.Attr) {
	auditLine(s.log, level, event, result, code, s.tls != nil, more)
}

func auditLine(log *slog.Logger, level slog.Level, event, result string, code int, encrypted bool, more []slog.Attr) {
	attrs := append(make([]slog.Attr, 0, 4+len(more)),
		slog.String("event", event), slog.String("result", result), slog.Bool("tls", encrypted))
	if code != 0 {
		attrs = append(attrs, slog.Int("code", code))
	}
	log.LogAttrs(context.Background(), level, auditMessage, append(attrs, more...)...)
}

// auditLogin writes the line of a login that succeeded.
func (s *session) auditLogin(code int) {
	s.audit(slog.LevelInfo, "login", resultOK, code,
		slog.String("access", s.login.AccessText()), slog.Bool("anonymous", s.login.Anonymous))
}

// auditDenial writes the line of a login that failed.
func (s *session) auditDenial(user string, code int, why string) {
	s.audit(slog.LevelWarn, "login", resultFailed, code,
		slog.String("user", wire.LoggableText(user)), slog.Int("failures", s.failures), slog.String("error", why))
}

// auditLogout writes the line of a login's end.
func (s *session) auditLogout(why string) {
	s.audit(slog.LevelInfo, "logout", resultOK, 0,
		slog.String("why", why), slog.Duration("duration", time.Since(s.login.since)))
}

// auditTransfer writes the line of a transfer that has ended.
func (s *session) auditTransfer(t *transfer.Transfer, r transfer.Result) {
	now := t.Snapshot(time.Now())
	more := []slog.Attr{
		slog.String("verb", t.Verb), slog.String("type", t.Type), slog.String("path", wire.LoggableText(t.Path)),
	}
	if now.Port != 0 {
		more = append(more, slog.Int("port", now.Port))
	}
	more = append(more,
		slog.Int64("bytes", now.Bytes), slog.Duration("duration", now.Took), slog.Int64("rate", now.Average))
	event, encrypted := "download", now.TLS
	switch {
	case t.Change != "":
		event, encrypted = t.Change, s.tls != nil
		more = []slog.Attr{slog.String("path", wire.LoggableText(t.Path)), slog.String("from", wire.LoggableText(t.From)), slog.Duration("duration", now.Took)}
	case t.Kind == transfer.Upload:
		event = "upload"
	}
	level, outcome := slog.LevelInfo, resultOK
	if r.Err != nil {
		level, outcome = slog.LevelWarn, resultFailed
		more = append(more, slog.String("error", wire.LoggableText(r.Err.Error())))
	}
	auditLine(s.log, level, event, outcome, r.Code, encrypted, more)
}

// changed audits a change to the storage, or the attempt at one that failed with err. code is the reply to a success. The
// error is the command's refusal.
func (s *session) changed(event, name string, code int, err error, more ...slog.Attr) error {
	more = append([]slog.Attr{slog.String("path", wire.LoggableText(name))}, more...)
	if err == nil {
		s.audit(slog.LevelInfo, event, resultOK, code, more...)
		return nil
	}
	code, _ = fsReply(err)
	s.audit(slog.LevelWarn, event, resultFailed, code, append(more, slog.String("error", wire.LoggableText(err.Error())))...)
	return refuseStorage(name, err)
}

// auditDenied writes the line of a command that the user's rights don't allow.
func (s *session) auditDenied(verb, arg string) {
	s.audit(slog.LevelWarn, "denied", resultFailed, 550, slog.String("verb", verb), slog.String("path", wire.LoggableText(arg)))
}
