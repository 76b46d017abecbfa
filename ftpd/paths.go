package ftpd

import (
	"io/fs"

	"github.com/ftp-operator/ftp-operator/ftpd/listing"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// path resolves a client's argument to an absolute path in the user's view. An argument that can only name a
// directory, such as "f/", is refused if it names something else, so that a command for "f/" never affects the file
// f. The error is the command's refusal.
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

// filePath is like path, for the name of a file that is to be created, replaced or removed. It refuses names that can
// only be a directory's.
func (s *session) filePath(arg string) (string, error) {
	name, err := s.path(arg)
	if err == nil && wire.NamesDirectory(arg) {
		err = refuseStorage(name, storage.ErrIsDirectory)
	}
	return name, err
}

// stat resolves a client's argument and returns the path and its FileInfo. The error is the command's refusal.
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
