package ftpd

import (
	"github.com/ftp-operator/ftp-operator/ftpd/config"
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

// brokeOff reports whether the transfer ended because of its client or its connection, and not because the storage
// would take no more or the user was shut out.
func (t *transfer) brokeOff(err error) bool {
	o, _ := t.find(err)
	return o.keeps
}
