package ftpd

import (
	"io/fs"

	"github.com/ftp-operator/ftp-operator/ftpd/listing"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
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

// path resolves an argument; if it can't be, it says so and ok is false. An argument that can only name a
// directory is refused where something else is there: what is done to "f/" is never done to the file f.
func (s *session) path(arg string) (name string, ok bool) {
	name, err := listing.Find(s.names, s.fs, s.cwd, arg)
	if err != nil {
		s.reply(553, "Name not allowed: "+err.Error()+".")
		return "", false
	}
	if err := listing.CheckDirectory(s.fs, name, arg); err != nil {
		s.refuse(name, err)
		return "", false
	}
	return name, true
}

// filePath is path for the name of something that is to be made, replaced or removed and is no directory.
func (s *session) filePath(arg string) (name string, ok bool) {
	if name, ok = s.path(arg); ok && wire.NamesDirectory(arg) {
		s.refuse(name, storage.ErrIsDirectory)
		return "", false
	}
	return name, ok
}

// stat resolves an argument and looks at what it names; if that fails, it says so and ok is false.
func (s *session) stat(arg string) (name string, info fs.FileInfo, ok bool) {
	name, ok = s.path(arg)
	if !ok {
		return "", nil, false
	}
	info, err := s.fs.Stat(name)
	if err != nil {
		s.refuse(name, err)
		return "", nil, false
	}
	return name, info, true
}
