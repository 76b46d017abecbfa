package ftpd

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// keepsPartial reports whether what comes of an upload that breaks off is to be kept: only if its
// user can resume it, which takes the right to overwrite, and REST, which text does not have.
func (s *session) keepsPartial() bool {
	keep := s.settings().cfg.Storage.PartialUploads == config.PartialUploadsKeep
	return keep && !s.ascii && s.rights().CanOverwrite()
}

// giveUp ends a job that failed with err before it was committed.
func (t *transfer) giveUp(err error) {
	switch {
	case t.keep != nil && t.brokeOff(err):
		_ = t.keep() // the client is told of the break in either case
	case t.discard != nil:
		t.discard()
	}
}

// brokeOff reports whether the transfer ended because of its client or its connection, and not
// because the storage would take no more or the user was shut out.
func (t *transfer) brokeOff(err error) bool {
	if errors.Is(err, errPanicked) {
		return false
	}
	if cause := t.stopped(); cause != nil {
		return !errors.Is(cause, errRevoked)
	}
	if socket.IsBroken(err) || errors.Is(err, os.ErrDeadlineExceeded) {
		return true // with splice these come as the file's
	}
	if errors.Is(err, errDeflated) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false // what was expanded before the damage showed may be damaged, too
	}
	var disk *fs.PathError
	return storage.Classify(err) == storage.KindOther && !errors.As(err, &disk)
}
