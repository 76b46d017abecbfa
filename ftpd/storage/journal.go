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

// A journal lies beside a file that is being appended to, and says how to undo that. Its name
// follows from the file's, so that whoever opens the file finds it without a search, and making it
// (O_EXCL) is the lock that keeps a second writer out, on any file system. The writer holds its
// advisory lock as long as it lives: a journal that nobody holds a lock on is that of a writer
// who died.

// journalEntry is what a journal says: how the file was before the first byte was appended.
type journalEntry struct {
	Name  []byte    `json:"name"` // base name; bytes, since it may be any
	Size  int64     `json:"size"`
	Time  time.Time `json:"time"`  // of its last modification
	Inode uint64    `json:"inode"` // a file that took the name since is another
}

// maxJournal bounds what is read as a journal. A name is 255 bytes at most.
const maxJournal = 4 << 10

// journalName is the name of the journal of the file base, in the same directory.
func journalName(base string) string {
	sum := sha256.Sum256([]byte(base))
	return appendPrefix + hex.EncodeToString(sum[:16])
}

// makeJournal makes the empty journal of the file base, which locks that, after having undone what
// a dead writer left. It is ErrBusy while another writer is at work.
func makeJournal(dir *os.Root, base string) (*os.File, error) {
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
		// Somebody took it for a leftover before it was locked.
		_ = j.Close()
	}
	return nil, ErrBusy
}

// lockNew locks a file that was just made, and reports whether it is still there: before it was
// locked a sweep may have taken it for a leftover. Where there are no locks it does what can be
// done.
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
	return info.Sys().(*syscall.Stat_t).Nlink > 0, nil
}

// write fills in the journal of the file that info describes.
func (e *journalEntry) write(j *os.File) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = j.Write(append(text, '\n'))
	return err
}

// entryOf is what a journal of a file would say now.
func entryOf(base string, info fs.FileInfo) journalEntry {
	return journalEntry{
		Name:  []byte(base),
		Size:  info.Size(),
		Time:  info.ModTime(),
		Inode: info.Sys().(*syscall.Stat_t).Ino,
	}
}

// readEntry reads a journal. ok is false for one whose writer died before it was complete, which
// was before he wrote to the file.
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
		return e, false, nil //nolint:nilerr // it is not one that says anything
	}
	base := string(e.Name)
	ok = e.Size >= 0 && base != "" && path.Base(base) == base && base != ".." && !hidden(base)
	return e, ok, nil
}

// rollBack undoes what a writer who died has appended to the file p. It is ErrBusy if there is one
// who lives, and nil if nobody appends.
func rollBack(root *os.Root, p string) error {
	dir, base := split(p)
	// Most files have no journal, and for those this is all.
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

// settleIn is settle for the file base of a directory.
func settleIn(dir *os.Root, base string) error {
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

// ignoreAbsent takes an error for none if it says that the file is not there, nor can be.
func ignoreAbsent(err error) error {
	for _, absent := range []error{fs.ErrNotExist, ErrNotDirectory, syscall.ENAMETOOLONG} {
		if errors.Is(err, absent) {
			return nil
		}
	}
	return err
}

// ownerDied reports whether the file is the leftover of a process that died, and locks it if
// so. It is fs.ErrNotExist if its writer has removed it since it was opened: who gives up the lock having done that
// was not interrupted. Where there are no locks only its age can tell.
func ownerDied(f *os.File, now time.Time) (bool, error) {
	info, err := regular(f)
	if err != nil {
		return false, err
	}
	switch err := lock(f); {
	case errors.Is(err, errLocked):
		return false, nil
	case err != nil:
		return info.ModTime().Before(now.Add(-abandoned)), nil //nolint:nilerr // there are no locks
	}
	there, err := named(f)
	if err == nil && !there {
		err = &fs.PathError{Op: "lock", Path: f.Name(), Err: fs.ErrNotExist}
	}
	return there, err
}

// undo sets the file of a journal back, for good, and removes the journal.
func undo(dir *os.Root, name string, j *os.File) error {
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

// truncateAppend cuts off what was appended since the entry was written.
func truncateAppend(dir *os.Root, e journalEntry) error {
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
	_ = dir.Chtimes(base, time.Time{}, e.Time) // as a courtesy to those who mirror
	return syncFile(f)
}

// removeSame removes the name if it still is that of f.
func removeSame(dir *os.Root, name string, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	there, err := dir.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(info, there) {
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
