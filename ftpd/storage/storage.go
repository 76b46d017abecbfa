// Package storage is what a user sees of the disk: a jailed tree behind a small interface, with
// uploads that become visible only when they are complete and durable.
package storage

import (
	"context"
	"io"
	"io/fs"
	"time"
)

// Backend is where homes lie: Local, or another storage that serves the same interface. It is safe
// for concurrent use.
type Backend interface {
	// Home opens the view of a home: a relative slash path, "." for the whole storage. If it is
	// absent it is made when create is set, and is fs.ErrNotExist otherwise.
	Home(home string, create bool) (FS, error)
	// Configure changes how uploads end from now on.
	Configure(o Options)
	// Sweep removes what uploads left behind whose process died, and returns how many. It may run
	// beside everything else.
	Sweep(ctx context.Context) (removed int, err error)
	// Close ends the backend; views that were opened stay.
	Close() error
}

// Options are what may change while a Backend is in use. The zero value is the safe one.
type Options struct {
	// NoSync lets uploads and changes be acknowledged before they are on the disk.
	NoSync bool
}

// FS is one user's view. Every name is a clean absolute slash path such as "/a/b"; "/" is the
// home. Errors answer to errors.Is with fs.ErrNotExist, fs.ErrExist, fs.ErrPermission,
// fs.ErrInvalid, errors.ErrUnsupported for what a storage has no means to do, those of this
// package and the system's own (ENOSPC, EDQUOT, ...); Classify sorts them.
//
// Symbolic links are followed as long as they stay inside the home; a way out of it is
// fs.ErrPermission. Temporary files of uploads are invisible and out of reach. A new name that
// could harm whoever prints it is fs.ErrInvalid: what is not UTF-8, or holds control characters.
// An FS is safe for concurrent use.
//
// What not every storage can do is in small interfaces of its own, which an FS may have beside
// this one; a function of the same name calls it, or does without: Available, Combine, QuotaOf.
type FS interface {
	// Stat describes what name leads to, following links.
	Stat(name string) (fs.FileInfo, error)
	// Lstat describes name itself, which may be a link.
	Lstat(name string) (fs.FileInfo, error)
	// Readlink returns the target of a symbolic link, relative to the link's directory. A link that
	// leads out of the home is fs.ErrPermission, and what is no link is fs.ErrInvalid.
	Readlink(name string) (string, error)
	// ReadDir opens a directory for listing.
	ReadDir(name string) (Dir, error)
	// Open opens a regular file for reading; it never blocks on a FIFO or a device, which are
	// refused with ErrNotRegular. OSFile finds an *os.File in the File of a local storage, so that
	// sendfile applies.
	Open(name string) (File, error)
	// Create begins an upload; see CreateOptions. A target that is there and is not a regular
	// file is refused with ErrIsDirectory or ErrNotRegular, and one that nobody may write
	// (mode 0444) with fs.ErrPermission.
	Create(name string, o CreateOptions) (Upload, error)
	// Mkdir makes a directory (0750).
	Mkdir(name string) error
	// Remove removes a file or a link, never a directory (ErrIsDirectory).
	Remove(name string) error
	// Rmdir removes an empty directory. A link, also to a directory, is ErrLink.
	Rmdir(name string) error
	// Rename moves a file or directory, replacing a file, but no directory, that is at the new
	// name. A file that is being appended to is ErrBusy.
	Rename(from, to string) error
	// RenameNew is Rename that replaces nothing: fs.ErrExist if there is anything at the new name,
	// also if it came up this very moment.
	RenameNew(from, to string) error
	// SetModTime sets the modification time.
	SetModTime(name string, t time.Time) error
	// Chmod sets the permission bits; others are ignored. A directory stays open to its owner,
	// which is the server.
	Chmod(name string, mode fs.FileMode) error
	// Close ends the view. Uploads and files that are open are not affected.
	Close() error
}

// Dir is a directory being listed. It is for one goroutine.
type Dir interface {
	// Next returns the next entry, in no particular order, without "." and ".."; io.EOF at the
	// end. Entries are read in batches as they are asked for. A symbolic link is described as
	// itself (fs.ModeSymlink); Stat tells where it leads. What is returned is good until the next
	// call.
	Next() (fs.FileInfo, error)
	// NextName is Next for those who need no more than the name, which costs less.
	NextName() (string, error)
	Close() error
}

// File is a file being read.
type File interface {
	io.ReadSeekCloser
	Stat() (fs.FileInfo, error)
}

// CreateOptions say how an upload writes. In each case the name shows nothing of it before Commit,
// but for an append, which those who read meanwhile may see grow.
//
// With the zero value the upload is a new file, which Commit puts in the target's place at once;
// the permission bits of a file that is replaced are kept.
type CreateOptions struct {
	// Offset above zero keeps that many bytes of the file, and the upload comes after them (REST
	// and STOR, RFC 3659 section 5); what lay beyond is gone with Commit. At the end of the file
	// this is Append. Beyond it is ErrOffset.
	Offset int64
	// Append writes at the end (APPE); Offset is then ignored. What was appended is undone if it
	// is not committed, also after a crash. Two at a time are ErrBusy. A file that is absent is
	// made as if Append were not set; if somebody else makes it meanwhile, Commit is ErrBusy.
	Append bool
	// Exclusive refuses a target that is there, at Create and again at Commit: fs.ErrExist.
	Exclusive bool
	// Expect is how many bytes will come, if the client has said so, or 0. They are reserved until
	// the upload ends, or it is refused at once: ErrQuota, or ENOSPC. Fewer may come, and more as far
	// as they find room. For an upload that goes on at the end of a file it says nothing.
	Expect int64
}

// Upload is a file being written. It is for one goroutine. One of Commit, Keep and Abort must be
// called; after any, all give fs.ErrClosed.
type Upload interface {
	// Writer is where the data goes, which must not be closed or sought. For a local storage it is
	// an *os.File opened without O_APPEND, or leads to one by io.ReaderFrom, so that splice applies.
	// It may refuse what comes with ErrQuota or a full disk.
	Writer() io.Writer
	// Commit makes the upload durable and visible; only then may it be acknowledged. If it
	// fails the upload is aborted.
	Commit() error
	// Keep is Commit for an upload that broke off: what has come takes the name, so that it can
	// be resumed. If nothing has come it is Abort.
	Keep() error
	// Abort drops the upload: the name shows what it did before.
	Abort() error
}
