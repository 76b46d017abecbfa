package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// These are the errors of this package, besides those of packages fs and syscall.
var (
	// ErrOffset means that the restart point is beyond the end of the file.
	ErrOffset = errors.New("restart point is beyond the end of the file")
	// ErrNotRegular means that the file is neither a regular file nor a directory.
	ErrNotRegular = errors.New("not a regular file")
	// ErrBusy means that another upload is writing to the file; the client may try again later.
	ErrBusy = errors.New("another upload is writing to the file")
	// ErrQuota means that the user's quota would be exceeded.
	ErrQuota = errors.New("the quota is exceeded")
	// ErrLink means that the name is a symbolic link, but must be a directory.
	ErrLink = errors.New("a symbolic link")
	// ErrIsDirectory means that the name is a directory, but must be a file.
	ErrIsDirectory error = syscall.EISDIR
	// ErrNotDirectory means that the name is not a directory, but must be one.
	ErrNotDirectory error = syscall.ENOTDIR
)

// errChanged means that the name of a file that was being written now names another file.
var errChanged = fmt.Errorf("the file was replaced or moved while it was appended to: %w", ErrBusy)

// Kind is the kind of a storage error; the reply to the client depends on it.
type Kind int

// The kinds of storage errors.
const (
	KindOther        Kind = iota // anything else: a fault of this machine
	KindNotExist                 // there is no such file or directory
	KindExist                    // the name is taken
	KindPermission               // not allowed, or outside the home
	KindNoSpace                  // the disk is full, or the file is too large for it
	KindIsDirectory              // a directory, but must be a file
	KindNotRegular               // a special file, but must be a regular one
	KindNotDirectory             // a file, but must be a directory
	KindLink                     // a symbolic link, but must be a directory
	KindNotEmpty                 // the directory is not empty
	KindInvalid                  // the name is too long or not allowed, or there are too many links
	KindOffset                   // the restart point is beyond the end of the file
	KindQuota                    // the user's quota or one of the file system is full
	KindBusy                     // another upload is writing to the file
	KindReadOnly                 // the file system is read-only
	KindUnsupported              // the storage can't do that
)

// kinds is searched from the top: an ENOTEMPTY is an fs.ErrExist, too.
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

// Classify returns the kind of an error of this package, or of an error from reading or writing one of its files. For
// nil it returns KindOther.
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

// escapeError is the error of a path that leads out of the home. To the user that is not permitted.
type escapeError struct{}

func (escapeError) Error() string        { return "leads out of the home directory" }
func (escapeError) Is(target error) bool { return target == fs.ErrPermission }

// failure wraps an error of an operation on name, the path as the user sees it. The result contains no path of this
// machine.
func failure(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: cause(err)}
}

// cause returns the error inside an error of package os that contains paths.
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
