package storage

import (
	"errors"
)

// Errors beside those of fs and syscall.
var (
	// ErrOffset: the restart point lies beyond the end of the file.
	ErrOffset = errors.New("restart point is beyond the end of the file")
	// ErrNotRegular: it is neither a regular file nor a directory.
	ErrNotRegular = errors.New("not a regular file")
	// ErrIsDirectory: it is a directory where a file is needed.
	ErrIsDirectory = errors.New("is a directory")
	// ErrNotDirectory: it is not a directory where one is needed.
	ErrNotDirectory = errors.New("not a directory")
)

// Kind is the sort of a storage error, as far as a reply to the client depends on it.
type Kind int

// The kinds.
const (
	KindOther        Kind = iota // anything else: a fault of this machine
	KindNotExist                 // there is no such file or directory
	KindExist                    // the name is taken
	KindPermission               // not allowed, or out of the home
	KindNoSpace                  // the disk or the quota is full
	KindNotRegular               // a directory or special file where a regular file is needed
	KindNotDirectory             // a file where a directory is needed
	KindNotEmpty                 // the directory is not empty
	KindInvalid                  // the name is too long or holds what can't be
	KindOffset                   // the restart point is beyond the end
)

// Classify sorts an error of this package.
func Classify(err error) Kind { return KindOther }
