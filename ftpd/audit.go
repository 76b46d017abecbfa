package ftpd

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// The audit log has one line for each login, logout, transfer and change, whether it succeeded or failed. The message
// is "audit", and the keys are:
//
//	event     login, logout, upload, download, delete, rename, mkdir, rmdir, chmod, mtime, combine,
//	          denied (a command beyond the user's rights) or ban
//	result    ok or failed
//	session   the session's number
//	peer      the client's address and port
//	proxy     the proxy's address and port, if a proxy reported peer
//	user      the user that is logged in, or tried to log in
//	tls       whether the control connection is encrypted; for a transfer, whether its data connection is
//	code      the reply code, if there was a reply
//	error     why it failed
//
// Some events have further keys: path (for a rename, the new path), from, mode, modified, verb, type, port (the
// server's port of the data connection, if there was one), bytes, duration, rate (bytes per second), access,
// anonymous, failures, why, subject, reason and count. Text that comes from a client is made safe for logs and
// terminals. No value is ever a password.
const auditMessage = "audit"

// The values of the key "result".
const (
	resultOK     = "ok"
	resultFailed = "failed"
)

// audit writes a line of the audit log for the session.
func (s *session) audit(level slog.Level, event, result string, code int, more ...slog.Attr) {
	auditLine(s.log, level, event, result, code, s.tls != nil, more)
}

func auditLine(log *slog.Logger, level slog.Level, event, result string, code int, encrypted bool, more []slog.Attr) {
	line := auditLines.Get().(*[]slog.Attr)
	attrs := append(*line, slog.String("event", event), slog.String("result", result), slog.Bool("tls", encrypted)) //nolint:gocritic // line stays empty
	if code != 0 {
		attrs = append(attrs, slog.Int("code", code))
	}
	attrs = append(attrs, more...)
	log.LogAttrs(context.Background(), level, auditMessage, attrs...)
	clear(attrs)
	auditLines.Put(line)
}

// auditLines holds unused room for the attributes of a line.
var auditLines = sync.Pool{New: func() any { line := make([]slog.Attr, 0, 24); return &line }}

// auditLogin writes the line of a successful login.
func (s *session) auditLogin(code int) {
	s.audit(slog.LevelInfo, "login", resultOK, code,
		slog.String("access", s.login.AccessText()), slog.Bool("anonymous", s.login.Anonymous))
}

// auditDenial writes the line of a failed login.
func (s *session) auditDenial(user string, code int, why string) {
	s.audit(slog.LevelWarn, "login", resultFailed, code,
		slog.String("user", wire.LoggableText(user)), slog.Int("failures", s.failures), slog.String("error", why))
}

// auditLogout writes the line of a logout.
func (s *session) auditLogout(why string) {
	s.audit(slog.LevelInfo, "logout", resultOK, 0,
		slog.String("why", why), slog.Duration("duration", time.Since(s.login.since)))
}

// auditTransfer writes the line of a transfer, or of work that changes files, that has ended.
func (s *session) auditTransfer(t *transfer.Transfer, r transfer.Result) {
	now := t.Snapshot(time.Now())
	var room [12]slog.Attr
	more, event, encrypted := room[:0], "download", now.TLS
	if t.Kind == transfer.Upload {
		event = "upload"
	}
	if t.Change != "" {
		event, encrypted = t.Change, s.tls != nil
		more = append(more, slog.String("path", wire.LoggableText(t.Path)), slog.String("from", wire.LoggableText(t.From)), slog.Duration("duration", now.Took))
	} else {
		more = append(more, slog.String("verb", t.Verb), slog.String("type", t.Type), slog.String("path", wire.LoggableText(t.Path)))
		if now.Port != 0 {
			more = append(more, slog.Int("port", now.Port))
		}
		more = append(more, slog.Int64("bytes", now.Bytes), slog.Duration("duration", now.Took), slog.Int64("rate", now.Average))
	}
	level, outcome := slog.LevelInfo, resultOK
	if r.Err != nil {
		level, outcome = slog.LevelWarn, resultFailed
		more = append(more, slog.String("error", wire.LoggableText(r.Err.Error())))
	}
	auditLine(s.log, level, event, outcome, r.Code, encrypted, more)
}

// changed writes the audit line of a change to the storage, which failed if err is not nil. code is the reply code of
// success. It returns the command's refusal, or nil if err is nil.
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

// auditDenied writes the line of a command that the user's rights do not allow.
func (s *session) auditDenied(verb, arg string) {
	s.audit(slog.LevelWarn, "denied", resultFailed, 550, slog.String("verb", verb), slog.String("path", wire.LoggableText(arg)))
}
