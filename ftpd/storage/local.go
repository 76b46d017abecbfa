package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync"
	"sync/atomic"
	"time"
)

const (
	homeMode = 0o750
	dirMode  = 0o750
	fileMode = 0o640
	ownDir   = 0o700 // what a directory's owner, the server, always keeps
)

// Local is a directory on this machine with the homes below it. It is safe for concurrent use.
type Local struct {
	root     *os.Root
	homes    homes
	opened   time.Time
	noSync   atomic.Bool
	promises promises
}

var _ Backend = (*Local)(nil)

// NewLocal opens the directory, which must be there.
func NewLocal(root string) (*Local, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("open the storage root: %w", err)
	}
	return &Local{root: r, opened: time.Now()}, nil
}

// Configure changes how uploads and changes end from now on.
func (l *Local) Configure(o Options) { l.noSync.Store(o.NoSync) }

// Close closes the directory; views that were opened stay.
func (l *Local) Close() error { return l.root.Close() }

// Home opens the view of the directory home, a relative slash path below the root ("." is the
// root itself). If it is absent it is made, with its parents (0750), when create is set, and is
// fs.ErrNotExist otherwise.
func (l *Local) Home(home string, create bool) (FS, error) {
	if !fs.ValidPath(home) || hidden(home) {
		return nil, failure("open home", home, fs.ErrInvalid)
	}
	shared, err := l.homes.get(l.root, home)
	if create && errors.Is(err, fs.ErrNotExist) {
		if err := l.makeHome(home); err != nil {
			return nil, failure("make home", home, err)
		}
		shared, err = l.homes.get(l.root, home)
	}
	if err != nil {
		return nil, failure("open home", home, err)
	}
	v := &view{root: shared.Root, noSync: &l.noSync, promises: &l.promises, place: home}
	if place, err := resolve(l.root, home, true); err == nil {
		v.place = place
	}
	v.close = sync.OnceValue(func() error { return l.homes.put(home, shared) })
	return v, nil
}

// makeHome makes the directory and its parents, and makes that durable: what is stored in a home
// is no safer than the home.
func (l *Local) makeHome(home string) error {
	if err := l.root.MkdirAll(home, homeMode); err != nil {
		return err
	}
	for home != "." && !l.noSync.Load() {
		home = path.Dir(home)
		if err := syncDir(l.root, home); err != nil {
			return err
		}
	}
	return nil
}

// openDir opens a directory as a root of its own. The final "." makes that a directory for
// certain: OpenRoot alone would open, and wait for, a FIFO.
func openDir(root *os.Root, dir string) (*os.Root, error) { return root.OpenRoot(dir + "/.") }

// syncFile makes a file durable. (Tests count, and make it fail.)
var syncFile = (*os.File).Sync

// syncDir makes the entries of a directory durable.
func syncDir(root *os.Root, dir string) error {
	f, err := root.OpenFile(dir, openDirFlags, 0)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it was only read
	return syncFile(f)
}
