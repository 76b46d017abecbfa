package storage

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
)

// uploadPrefix begins the names of uploads that are not complete. Users neither see nor reach
// such names.
const uploadPrefix = ".ftpd-upload-"

// inRoot turns a name of FS into a path relative to the home: "/a/b" into "a/b", "/" into ".".
func inRoot(name string) (string, error) {
	if name == "" || name[0] != '/' || path.Clean(name) != name || strings.IndexByte(name, 0) >= 0 {
		return "", fs.ErrInvalid
	}
	if hidden(name) {
		return "", fs.ErrNotExist
	}
	if name == "/" {
		return ".", nil
	}
	return name[1:], nil
}

// newInRoot is inRoot for a name that is to be made or replaced.
func newInRoot(name string) (string, error) {
	if hidden(name) {
		return "", fs.ErrPermission
	}
	return inRoot(name)
}

// hidden reports whether a part of the path has the name of an upload.
func hidden(name string) bool {
	return strings.HasPrefix(name, uploadPrefix) || strings.Contains(name, "/"+uploadPrefix)
}

// rootEscape is the error that an os.Root gives for a path that leaves it; os does not export
// it, but it is one value.
var rootEscape = sync.OnceValue(func() error {
	root, err := os.OpenRoot("/")
	if err != nil {
		return nil
	}
	defer root.Close() //nolint:errcheck // nothing was written
	_, err = root.Lstat("..")
	var path *fs.PathError
	if !errors.As(err, &path) {
		return nil
	}
	return path.Err
})
