package ftpd

import (
	"io/fs"

	"github.com/ftp-operator/ftp-operator/ftpd/listing"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// path resolves an argument; if it can't be, it says so and ok is false. An argument that can only name a
// directory is refused where something else is there: what is done to "f/" is never done to the file f.
func (s *session) path(arg string) (name string, ok bool) {
	name, err := listing.Find(s.names, s.login.fs, s.cwd, arg)
	if err != nil {
		s.reply(553, "Name not allowed: "+err.Error()+".")
		return "", false
	}
	if err := listing.CheckDirectory(s.login.fs, name, arg); err != nil {
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
	info, err := s.login.fs.Stat(name)
	if err != nil {
		s.refuse(name, err)
		return "", nil, false
	}
	return name, info, true
}
