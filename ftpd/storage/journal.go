package storage

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"
)

// A journal is a file next to a file that is being appended to. It says how to undo the append.
//
// Its name follows from the name of the file, so that it is found without a search. Creating it (O_EXCL) is the lock
// that keeps out a second writer, on any file system. The writer holds an advisory lock on the journal for as long as
// its process lives: if no process has that lock, the writer has crashed.

// journalEntry is the content of a journal: the state of the file before the first byte was appended.
type journalEntry struct {
	Name  []byte    `json:"name"` // base name; bytes, because it may be no valid UTF-8
	Size  int64     `json:"size"`
	Time  time.Time `json:"time"`  // modification time
	Inode uint64    `json:"inode"` // a file with the same name and another inode is another file
}

// maxJournal is the largest number of bytes read of a journal. A file name has 255 bytes at most.
const maxJournal = 4 << 10

// journalName returns the name of the journal of the file base, in the same directory.
func journalName(base string) string {
	sum := sha256.Sum256([]byte(base))
	return appendPrefix + hex.EncodeToString(sum[:16])
}

// makeJournal creates and locks the empty journal of the file base, after undoing what a crashed writer has left. It
// returns ErrBusy while another writer is appending.
func makeJournal(dir folder, base string) (*os.File, error) {
	name := journalName(base)
	const tries = 5
	for range tries {
		if err := settleIn(dir, base); err != nil {
			return nil, err
		}
		j, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if held, err := lockNew(j); held || err != nil {
			return j, err
		}
		// Another process has taken the journal for a leftover and removed it before it was locked.
		_ = j.Close()
	}
	return nil, ErrBusy
}

// lockNew locks a file that was just created. It reports whether the file still exists: a sweep may have taken it for
// a leftover and removed it before it was locked. On a file system without locks it only checks that the file exists.
func lockNew(f *os.File) (bool, error) {
	if errors.Is(lock(f), errLocked) {
		return false, nil
	}
	return named(f)
}

// named reports whether the file still has a name.
func named(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	return statOf(info).Nlink > 0, nil
}

// write writes the entry to the journal j.
func (e *journalEntry) write(j *os.File) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = j.Write(append(text, '\n'))
	return err
}

// entryOf returns the entry for the file base, which info describes.
func entryOf(base string, info fs.FileInfo) journalEntry {
	return journalEntry{
		Name:  []byte(base),
		Size:  info.Size(),
		Time:  info.ModTime(),
		Inode: statOf(info).Ino,
	}
}

// readEntry reads a journal. ok is false if the journal is incomplete: its writer crashed before it had changed the
// file.
func readEntry(j *os.File) (e journalEntry, ok bool, err error) {
	text, err := io.ReadAll(io.NewSectionReader(j, 0, maxJournal))
	if err != nil {
		return e, false, err
	}
	line, _, complete := bytes.Cut(text, []byte("\n"))
	if !complete {
		return e, false, nil
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return e, false, nil //nolint:nilerr // a journal with other content says nothing about a file
	}
	base := string(e.Name)
	ok = e.Size >= 0 && base != "" && path.Base(base) == base && base != ".." && !hidden(base)
	return e, ok, nil
}

// rollBack undoes what a crashed writer has appended to the file p. It returns ErrBusy if a writer is appending now,
// and nil if there is no append.
func rollBack(root *os.Root, p string) error {
	dir, base := split(p)
	// Most files have no journal, and for those this check is all.
	_, err := root.Lstat(dir + "/" + journalName(base))
	if err != nil {
		return ignoreAbsent(err)
	}
	d, err := openDir(root, dir)
	if err != nil {
		return ignoreAbsent(err)
	}
	defer d.Close() //nolint:errcheck // it was only used
	return settleIn(d, base)
}

// settleIn does the same as rollBack, for the file base of a directory.
func settleIn(dir folder, base string) error {
	name := journalName(base)
	j, err := dir.OpenFile(name, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		return ignoreAbsent(err)
	}
	defer j.Close() //nolint:errcheck // it gives up the lock
	dead, err := ownerDied(j, time.Now())
	switch {
	case err != nil:
		return ignoreAbsent(err)
	case !dead:
		return ErrBusy
	}
	return undo(dir, name, j)
}

// ignoreAbsent returns nil if err says that the file does not exist or can't exist, else err.
func ignoreAbsent(err error) error {
	for _, absent := range []error{fs.ErrNotExist, ErrNotDirectory, syscall.ENAMETOOLONG} {
		if errors.Is(err, absent) {
			return nil
		}
	}
	return err
}

// ownerDied reports whether the file is a leftover of a crashed process, and locks the file if so. It returns
// fs.ErrNotExist if the file was removed since it was opened: a writer that has removed its file and then given up
// the lock has not crashed. On a file system without locks, ownerDied decides by the age of the file.
func ownerDied(f *os.File, now time.Time) (bool, error) {
	info, err := regular(f)
	if err != nil {
		return false, err
	}
	switch err := lock(f); {
	case errors.Is(err, errLocked):
		return false, nil
	case err != nil:
		return info.ModTime().Before(now.Add(-abandoned)), nil //nolint:nilerr // the file system has no locks
	}
	there, err := named(f)
	if err == nil && !there {
		err = &fs.PathError{Op: "lock", Path: f.Name(), Err: fs.ErrNotExist}
	}
	return there, err
}

// undo durably restores the file of a journal, and removes the journal.
func undo(dir folder, name string, j *os.File) error {
	e, ok, err := readEntry(j)
	if err != nil {
		return err
	}
	if ok {
		if err := truncateAppend(dir, e); err != nil {
			return fmt.Errorf("undo an append that was not completed: %w", err)
		}
	}
	if err := removeSame(dir, name, j); err != nil {
		return err
	}
	return syncDir(dir, ".")
}

// truncateAppend cuts off what was appended to a file since the entry was written.
func truncateAppend(dir folder, e journalEntry) error {
	base := string(e.Name)
	f, err := dir.OpenFile(base, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrIsDirectory) || errors.Is(err, syscall.ENXIO) {
		return nil // the file is gone
	}
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // what matters is synced
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if now := entryOf(base, info); !info.Mode().IsRegular() || now.Inode != e.Inode || now.Size <= e.Size {
		return nil
	}
	if err := f.Truncate(e.Size); err != nil {
		return err
	}
	_ = dir.Chtimes(base, time.Time{}, e.Time) // Errors are ignored: the old time only helps programs that mirror files
	return syncFile(f)
}

// removeSame removes the name if it still names the file f.
func removeSame(dir folder, name string, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	there, err := dir.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !sameFile(info, there) {
		return nil
	}
	if err == nil {
		err = dir.Remove(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return err
}
