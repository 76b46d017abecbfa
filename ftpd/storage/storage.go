// Package storage is what a user sees of the disk: a jailed tree behind a small interface, with
// uploads that become visible only when they are complete and durable.
package storage

import (
	"io"
	"io/fs"
	"time"
)

// FS is one user's view. Every name is a clean absolute slash path such as "/a/b"; "/" is the
// home. Errors answer to errors.Is with fs.ErrNotExist, fs.ErrExist, fs.ErrPermission,
// fs.ErrInvalid and the system's own (ENOSPC, EDQUOT, ...); Classify sorts them.
//
// Symbolic links are followed as long as they stay inside the home; a way out of it is
// fs.ErrPermission. Temporary files of uploads are invisible and out of reach.
// An FS is safe for concurrent use.
type FS interface {
	// Stat describes what name leads to, following links.
	Stat(name string) (fs.FileInfo, error)
	// ReadDir opens a directory for listing.
	ReadDir(name string) (Dir, error)
	// Open opens a regular file for reading; it never blocks on a FIFO or a device, which are
	// refused with ErrNotRegular. The File is an *os.File, so that sendfile applies.
	Open(name string) (File, error)
	// Create begins an upload; see CreateOptions. A target that is there and is not a regular
	// file is refused with ErrIsDirectory or ErrNotRegular, and one that nobody may write
	// (mode 0444) with fs.ErrPermission.
	Create(name string, o CreateOptions) (Upload, error)
	// Mkdir makes a directory (0750).
	Mkdir(name string) error
	// Remove removes a file or a link, never a directory (ErrIsDirectory).
	Remove(name string) error
	// Rmdir removes an empty directory.
	Rmdir(name string) error
	// Rename moves a file or directory, replacing a file, but no directory, that is at the new
	// name.
	Rename(from, to string) error
	// SetModTime sets the modification time.
	SetModTime(name string, t time.Time) error
	// Chmod sets the permission bits; others are ignored.
	Chmod(name string, mode fs.FileMode) error
	// Close ends the view. Uploads and files that are open are not affected.
	Close() error
}

// Dir is a directory being listed. It is for one goroutine.
type Dir interface {
	// Next returns the next entry, in no particular order, without "." and ".."; io.EOF at the
	// end. Entries are read in batches as they are asked for. A symbolic link is described as
	// itself (fs.ModeSymlink); Stat tells where it leads.
	Next() (fs.FileInfo, error)
	Close() error
}

// File is a file being read.
type File interface {
	io.ReadSeekCloser
	Stat() (fs.FileInfo, error)
}

// CreateOptions say how an upload writes.
//
// With the zero value it writes a temporary file beside the target, which Commit puts in the
// target's place at once; the permission bits of a file that is replaced are kept.
type CreateOptions struct {
	// Offset above zero writes in place from there on (REST and STOR, RFC 3659 section 5); what
	// lay beyond the end of the upload is cut off by Commit. Beyond the end of the file it is
	// ErrOffset.
	Offset int64
	// Append writes in place at the end (APPE); Offset is then ignored. A file that is absent is
	// made as if Append were not set.
	Append bool
	// Exclusive refuses a target that is there, at Create and again at Commit: fs.ErrExist.
	Exclusive bool
}

// Upload is a file being written. It is for one goroutine. One of Commit and Abort must be
// called; after either, both give fs.ErrClosed.
type Upload interface {
	// Writer is where the data goes: an *os.File at the right position, opened without O_APPEND,
	// so that splice applies. It must not be closed.
	Writer() io.Writer
	// Commit makes the upload durable and visible; only then may it be acknowledged. If it
	// fails the upload is aborted.
	Commit() error
	// Abort drops the upload. One that wrote in place leaves what was received, so that it can
	// be resumed.
	Abort() error
}
