// Package storage stores the users' files. It shows each user a jailed tree (FS), and uploads become visible only
// when they are complete and durable.
//
// Interfaces are in storage.go: Backend opens the FS of a home, FS reaches files, Upload writes one. Local is the
// Backend on a directory of this machine. Begin reading at FS and Local.Home; upload.go is the way of an upload, and
// append.go with journal.go that of one that appends. Of this module the package imports only internal/reserved.
package storage

import (
	"context"
	"io"
	"io/fs"
	"time"
)

// Backend is where homes are: a Local, or another storage with the same interface. It is safe for concurrent use.
type Backend interface {
	// Home opens the view of a home, which is a relative slash path; "." is the whole storage. If the home does not
	// exist, Home creates it if create is set, and returns fs.ErrNotExist otherwise.
	Home(home string, create bool) (FS, error)
	// Configure sets how uploads and changes are completed from now on.
	Configure(o Options)
	// Sweep removes what uploads of crashed processes have left, and returns the number of leftovers removed. Other
	// operations may run at the same time.
	Sweep(ctx context.Context) (removed int, err error)
	// Close closes the backend. Open views stay usable.
	Close() error
}

// Options may change while a Backend is in use. The zero value is the safe one.
type Options struct {
	// NoSync says that uploads and changes are acknowledged before they are on the disk.
	NoSync bool
}

// FS is one user's view of the storage. Every name is a clean absolute slash path such as "/a/b"; "/" is the home.
// Errors match (errors.Is) fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, errors.ErrUnsupported (the
// storage can't do that), the errors of this package and those of the system (ENOSPC, EDQUOT and others). Classify
// returns the kind of an error.
//
// Symbolic links are followed as long as they stay inside the home; a path that leads out of it is fs.ErrPermission.
// Temporary files of uploads can't be seen or used. A new name that could harm the people and programs that print it,
// such as one with control characters, is fs.ErrInvalid. An FS is safe for concurrent use.
//
// Abilities that not every storage has are in small interfaces, which an FS may implement besides this one: AvailableFS,
// CombineFS, QuotaFS, ResolveFS. For each there is a function that calls its method, or does without: Available,
// Combine, QuotaOf, Resolve and Place.
type FS interface {
	// Stat describes the file that name leads to; it follows links.
	Stat(name string) (fs.FileInfo, error)
	// Lstat describes name itself, which may be a link.
	Lstat(name string) (fs.FileInfo, error)
	// Readlink returns the target of a symbolic link, relative to the link's directory. The error is fs.ErrPermission
	// if the link leads out of the home, and fs.ErrInvalid if name is no link.
	Readlink(name string) (string, error)
	// ReadDir opens a directory for listing.
	ReadDir(name string) (Dir, error)
	// Open opens a regular file for reading. It never blocks on a FIFO or a device; the error for these is
	// ErrNotRegular. The File of a local storage is, or wraps, an *os.File, which OSFile returns, so that sendfile
	// applies.
	Open(name string) (File, error)
	// Create begins an upload; see CreateOptions. If the target exists and is not a regular file, the error is
	// ErrIsDirectory or ErrNotRegular. If the target is write-protected for everyone (mode 0444), the error is
	// fs.ErrPermission.
	Create(name string, o CreateOptions) (Upload, error)
	// Mkdir creates a directory (mode 0750).
	Mkdir(name string) error
	// Remove removes a file or a link. It never removes a directory (ErrIsDirectory).
	Remove(name string) error
	// Rmdir removes an empty directory. For a link, even one to a directory, the error is ErrLink.
	Rmdir(name string) error
	// Rename moves a file or directory. It replaces a file at the new name, but never a directory. If the file is
	// being appended to, the error is ErrBusy.
	Rename(from, to string) error
	// RenameNew is like Rename, but never replaces anything: the error is fs.ErrExist if the new name exists, even if
	// it was created only at this moment.
	RenameNew(from, to string) error
	// SetModTime sets the modification time.
	SetModTime(name string, t time.Time) error
	// Chmod sets the permission bits and ignores all others. The server, which owns the directories, keeps its access
	// to a directory whatever the mode.
	Chmod(name string, mode fs.FileMode) error
	// Close closes the view. Open uploads and files are not affected.
	Close() error
}

// Dir is a directory being listed. Only one goroutine may use it.
type Dir interface {
	// Next describes the next entry, in no particular order and without "." and ".."; it returns io.EOF at the end.
	// Entries are read in batches, as needed. A symbolic link is described as a link (fs.ModeSymlink); Stat describes
	// its target. The result is valid until the next call.
	Next() (fs.FileInfo, error)
	// NextName is like Next, but returns only the name, which costs less.
	NextName() (string, error)
	Close() error
}

// File is a file being read.
type File interface {
	io.ReadSeekCloser
	Stat() (fs.FileInfo, error)
}

// CreateOptions says how an upload is written. The name shows no part of the upload before Commit, with one
// exception: a file that is being appended to may be seen to grow.
//
// With the zero value the upload makes a new file, which Commit puts in the place of the target at once. The
// permission bits of a replaced file are kept.
type CreateOptions struct {
	// Offset, if above zero, keeps that many bytes of the file; the upload comes after them (REST and STOR, RFC 3659
	// section 5). The rest of the old file is lost with Commit. An offset at the end of the file means the same as
	// Append. If it is beyond the end, the error is ErrOffset.
	Offset int64
	// Append writes at the end of the file (APPE); Offset is then ignored. The append is undone if the upload
	// is not committed, even after a crash. While one upload appends, the error for another one is ErrBusy. If the
	// file does not exist, it is created as if Append were not set; if another upload creates it first, the error of
	// Commit is ErrBusy.
	Append bool
	// Exclusive refuses a target that exists, at Create and again at Commit: the error is fs.ErrExist.
	Exclusive bool
	// Expect is the number of bytes that the client has announced, or 0. They are reserved until the upload ends; if
	// that fails Create returns ErrQuota or ENOSPC at once. The upload may be shorter, and also longer if there is
	// space. Expect is ignored if the upload is appended to the end of a file.
	Expect int64
}

// Upload is a file being written. Only one goroutine may use it. Commit, Keep or Abort must be called; after one of
// them was called, all three return fs.ErrClosed.
type Upload interface {
	// Writer returns the writer for the data, which must not be closed or sought. In a local storage it is an
	// *os.File opened without O_APPEND, or leads to one by io.ReaderFrom, so that splice applies. Its errors include
	// ErrQuota and those of a full disk.
	Writer() io.Writer
	// Commit makes the upload durable and visible; only then may it be acknowledged. If Commit fails the upload is
	// aborted.
	Commit() error
	// Keep is like Commit, for an upload that broke off: what has arrived gets the name, so that the client can
	// resume it. If nothing has arrived, Keep is like Abort.
	Keep() error
	// Abort drops the upload: the name shows the same as before.
	Abort() error
}
