package storage

import "errors"

// Local is a directory on this machine with the homes below it.
type Local struct{}

// NewLocal opens the directory, which must be there.
func NewLocal(root string) (*Local, error) { return nil, errors.New("not yet") }

// Close closes the directory; views that were opened stay.
func (l *Local) Close() error { return nil }

// Home opens the view of the directory home, a relative slash path below the root ("." is the
// root itself). If it is absent it is made, with its parents (0750), when create is set, and is
// fs.ErrNotExist otherwise.
func (l *Local) Home(home string, create bool) (FS, error) { return nil, errors.New("not yet") }
