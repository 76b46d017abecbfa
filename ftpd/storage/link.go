package storage

import (
	"errors"
	"io/fs"
	"path"
	"syscall"
)

// Readlink returns the target of the symbolic link name as the link holds it, relative to the link's directory. If
// the link leads out of the home, directly or by further links, the error is fs.ErrPermission, since the target would
// name files outside. If name is no link, the error is fs.ErrInvalid.
func (v *view) Readlink(name string) (string, error) {
	p, err := inRoot(name)
	if err != nil {
		return "", failure("read the link", name, err)
	}
	target, err := v.root.Readlink(p)
	if errors.Is(err, syscall.EINVAL) {
		err = fs.ErrInvalid
	}
	if err != nil {
		return "", failure("read the link", name, err)
	}
	if path.IsAbs(target) {
		return "", failure("read the link", name, escapeError{})
	}
	if _, err := v.root.Stat(p); Classify(failure("", name, err)) == KindPermission {
		return "", failure("read the link", name, err)
	}
	return target, nil
}
