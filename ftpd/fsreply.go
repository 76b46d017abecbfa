package ftpd

import (
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// refuse replies to a storage error, by its kind. The text never holds the error itself, which
// may name what lies outside the user's view.
func (s *session) refuse(name string, err error) {
	code, text := fsReply(err)
	if storage.Classify(err) == storage.KindOther {
		s.log.Error("storage failed", "path", name, "error", err)
	}
	s.reply(code, name+": "+text)
}

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
