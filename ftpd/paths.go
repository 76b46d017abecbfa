package ftpd

import (
	"io/fs"

	"github.com/ftp-operator/ftp-operator/ftpd/listing"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// path resolves an argument to an absolute path of the user's view. An argument that can only name a directory is refused
// where something else is there: what is done to "f/" is never done to the file f. The error is the command's refusal.
func (s *session) path(arg string) (string, error) {
	name, err := listing.Find(s.names, s.login.fs, s.cwd, arg)
	if err != nil {
		return "", refuse(553, "Name not allowed: "+err.Error()+".")
	}
	if err := listing.CheckDirectory(s.login.fs, name, arg); err != nil {
		return "", refuseStorage(name, err)
	}
	return name, nil
}

// filePath is path for the name of something that is to be made, replaced or removed and is no directory.
func (s *session) filePath(arg string) (string, error) {
	name, err := s.path(arg)
	if err == nil && wire.NamesDirectory(arg) {
		err = refuseStorage(name, storage.ErrIsDirectory)
	}
	return name, err
}

// stat resolves an argument and looks at what it names. The error is the command's refusal.
func (s *session) stat(arg string) (string, fs.FileInfo, error) {
	name, err := s.path(arg)
	if err != nil {
		return "", nil, err
	}
	info, err := s.login.fs.Stat(name)
	if err != nil {
		return "", nil, refuseStorage(name, err)
	}
	return name, info, nil
}
