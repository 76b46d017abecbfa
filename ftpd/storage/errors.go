package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Errors beside those of fs and syscall.
var (
	// ErrOffset: the restart point lies beyond the end of the file.
	ErrOffset = errors.New("restart point is beyond the end of the file")
	// ErrNotRegular: it is neither a regular file nor a directory.
	ErrNotRegular = errors.New("not a regular file")
	// ErrBusy: another upload is writing to the file; trying again later may help.
	ErrBusy = errors.New("another upload is writing to the file")
	// ErrQuota: the user's quota would be exceeded.
	ErrQuota = errors.New("the quota is exceeded")
	// ErrLink: it is a symbolic link where a directory itself is needed.
	ErrLink = errors.New("a symbolic link")
	// ErrIsDirectory: it is a directory where a file is needed.
	ErrIsDirectory error = syscall.EISDIR
	// ErrNotDirectory: it is not a directory where one is needed.
	ErrNotDirectory error = syscall.ENOTDIR
)

// errChanged: what was appended to is no longer what the name stands for.
var errChanged = fmt.Errorf("the file was replaced or moved while it was appended to: %w", ErrBusy)

// Kind is the sort of a storage error, as far as a reply to the client depends on it.
type Kind int

// The kinds.
const (
	KindOther        Kind = iota // anything else: a fault of this machine
	KindNotExist                 // there is no such file or directory
	KindExist                    // the name is taken
	KindPermission               // not allowed, or out of the home
	KindNoSpace                  // the disk is full, or the file too large for it
	KindIsDirectory              // a directory where a file is needed
	KindNotRegular               // a special file where a regular one is needed
	KindNotDirectory             // a file where a directory is needed
	KindLink                     // a symbolic link where a directory itself is needed
	KindNotEmpty                 // the directory is not empty
	KindInvalid                  // the name is too long, holds what can't be, or leads in circles
	KindOffset                   // the restart point is beyond the end
	KindQuota                    // the quota is full, the user's or one of the file system
	KindBusy                     // another upload writes to the file
	KindReadOnly                 // the file system is read-only
	KindUnsupported              // this storage can't do that
)

// kinds is looked through from the top: ENOTEMPTY is an fs.ErrExist too.
var kinds = []struct {
	kind Kind
	errs []error
}{
	{KindOffset, []error{ErrOffset}},
	{KindQuota, []error{ErrQuota, syscall.EDQUOT}},
	{KindBusy, []error{ErrBusy, syscall.EBUSY, syscall.ETXTBSY}},
	{KindReadOnly, []error{syscall.EROFS}},
	{KindNotEmpty, []error{syscall.ENOTEMPTY}},
	{KindNotExist, []error{fs.ErrNotExist}},
	{KindExist, []error{fs.ErrExist}},
	{KindPermission, []error{fs.ErrPermission}},
	{KindNoSpace, []error{syscall.ENOSPC, syscall.EFBIG}},
	{KindIsDirectory, []error{ErrIsDirectory}},
	{KindNotRegular, []error{ErrNotRegular, syscall.ENXIO}},
	{KindNotDirectory, []error{ErrNotDirectory}},
	{KindLink, []error{ErrLink}},
	{KindInvalid, []error{fs.ErrInvalid, syscall.EINVAL, syscall.ENAMETOOLONG, syscall.ELOOP, syscall.EILSEQ}},
	{KindUnsupported, []error{errors.ErrUnsupported}},
}

// Classify sorts an error of this package, or of reading or writing one of its files. For nil
// it is KindOther.
func Classify(err error) Kind {
	for _, k := range kinds {
		for _, target := range k.errs {
			if errors.Is(err, target) {
				return k.kind
			}
		}
	}
	return KindOther
}

// escapeError is a way out of the home: to whoever is jailed it is a thing not permitted.
type escapeError struct{}

func (escapeError) Error() string        { return "leads out of the home directory" }
func (escapeError) Is(target error) bool { return target == fs.ErrPermission }

// failure is the error of an operation on name, as the user knows it: no path of this machine
// is in it.
func failure(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: cause(err)}
}

// cause is what lies under the errors of package os, which name paths.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	}
	if escape := rootEscape(); escape != nil && errors.Is(err, escape) {
		return escapeError{}
	}
	return err
}
