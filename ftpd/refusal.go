package ftpd

import (
	"errors"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// refusal is an error that holds the reply to a refused command. The code 421 ends the session.
type refusal struct {
	code int
	text string
}

func (r *refusal) Error() string { return r.text }

// refuse returns the error of a command that is refused with this reply.
func refuse(code int, text string) error { return &refusal{code, text} }

// storageError is an error of the storage about a file. name is the path that the reply shows.
type storageError struct {
	name string
	err  error
}

func (e *storageError) Error() string { return e.name + ": " + e.err.Error() }
func (e *storageError) Unwrap() error { return e.err }

// refuseStorage returns the error of a command that the storage refuses.
func refuseStorage(name string, err error) error { return &storageError{name, err} }

// refuse sends the reply for the error of a refused command. For an error of the storage the reply never contains the
// error's own text, which may name files outside the user's view.
func (s *session) refuse(err error) {
	if r, ok := errors.AsType[*refusal](err); ok {
		s.reply(r.code, r.text)
		if r.code == 421 {
			s.closeIntake()
		}
		return
	}
	e, ok := errors.AsType[*storageError](err)
	if !ok {
		e = &storageError{name: "error", err: err}
	}
	code, text := fsReply(e.err)
	if storage.Classify(e.err) == storage.KindOther {
		s.log.Error("storage failed", "path", e.name, "error", e.err)
	}
	s.reply(code, e.name+": "+text)
}

// refuseIf calls refuse if err is not nil.
func (s *session) refuseIf(err error) {
	if err != nil {
		s.refuse(err)
	}
}

// answer sends the reply of a successful command. It returns nil, which is the command's result.
func (s *session) answer(code int, text string) error {
	s.reply(code, text)
	return nil
}

// fsReply returns the reply to an error of the storage, by the error's kind.
func fsReply(err error) (code int, text string) {
	switch storage.Classify(err) {
	case storage.KindNotExist:
		return 550, "no such file or directory."
	case storage.KindExist:
		return 550, "the name is taken."
	case storage.KindPermission:
		return 550, "permission denied."
	case storage.KindNoSpace:
		return 452, "not enough space: the disk is full."
	case storage.KindQuota:
		return 552, "the quota is full."
	case storage.KindBusy:
		return 450, "another upload writes to this file; try again later."
	case storage.KindReadOnly:
		return 550, "these files can't be changed: they are read-only."
	case storage.KindUnsupported:
		return 504, "these files have no such thing."
	case storage.KindIsDirectory:
		return 550, "a directory, not a plain file."
	case storage.KindNotRegular:
		return 550, "not a plain file."
	case storage.KindNotDirectory:
		return 550, "not a directory."
	case storage.KindLink:
		return 550, "a symbolic link: DELE removes it, and leaves what it leads to."
	case storage.KindNotEmpty:
		return 550, "the directory is not empty."
	case storage.KindInvalid:
		return 553, "the name is too long or not allowed."
	case storage.KindOffset:
		return 554, "the restart point is beyond the end of the file."
	default:
		return 451, "the server failed to do this; try again later."
	}
}
