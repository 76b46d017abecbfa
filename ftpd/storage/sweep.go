package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"
)

// Sweep undoes the uploads of crashed processes in the whole tree: it removes temporary files, and cuts off what was
// appended. It returns the number of leftovers that it has removed. Other operations may run at the same time, also
// in other pods that share the storage: Sweep handles only files on which no process has a lock. On a file system
// without locks it handles only files that are more than a day older than this Local. With locks the age of a file
// does not matter, since the clock may have been set, or be that of another machine. Sweep continues after errors,
// and returns them joined.
func (l *Local) Sweep(ctx context.Context) (removed int, err error) {
	var errs []error
	for dirs := []string{"."}; len(dirs) > 0; {
		if err := ctx.Err(); err != nil {
			return removed, errors.Join(append(errs, err)...)
		}
		dir := dirs[len(dirs)-1]
		below, n, err := l.sweepDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("sweep %s: %w", dir, cause(err)))
		}
		dirs = append(dirs[:len(dirs)-1], below...)
		removed += n
	}
	return removed, errors.Join(errs...)
}

// sweepDir sweeps one directory, and returns the directories in it. It does not follow links.
func (l *Local) sweepDir(dir string) (below []string, removed int, err error) {
	f, err := l.root.OpenFile(dir, openDirFlags, 0)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	var errs []error
	for {
		entries, err := f.ReadDir(batch)
		for _, e := range entries {
			name := path.Join(dir, e.Name())
			switch {
			case e.IsDir():
				below = append(below, name)
			case isLeftover(e):
				done, err := l.sweepFile(name)
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					errs = append(errs, err)
				}
				if done {
					removed++
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return below, removed, errors.Join(errs...)
		}
		if err != nil {
			return below, removed, errors.Join(append(errs, err)...)
		}
	}
}

// isLeftover reports whether an entry may be what an upload has left behind.
func isLeftover(e fs.DirEntry) bool {
	name := e.Name()
	return e.Type().IsRegular() && (strings.HasPrefix(name, uploadPrefix) || strings.HasPrefix(name, appendPrefix))
}

// abandoned is the age at which a temporary file counts as a leftover if the file system has no locks.
const abandoned = 24 * time.Hour

func (l *Local) sweepFile(name string) (done bool, err error) {
	f, err := l.root.OpenFile(name, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false, err
	}
	defer f.Close() //nolint:errcheck // nothing was written; it gives up the lock
	if dead, err := ownerDied(f, l.opened); !dead || err != nil {
		return false, err
	}
	dir, base := split(name)
	if strings.HasPrefix(base, uploadPrefix) {
		err = l.root.Remove(name)
		return err == nil, err
	}
	d, err := openDir(l.root, dir)
	if err != nil {
		return false, err
	}
	defer d.Close() //nolint:errcheck // it was only used
	err = undo(d, base, f)
	return err == nil, err
}
