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
	ownDir   = 0o700 // the server, which owns the directory, always keeps these rights
)

// Local is a directory on this machine in which the homes are. It is safe for concurrent use.
type Local struct {
	root     *os.Root
	homes    homes
	opened   time.Time
	noSync   atomic.Bool
	promises promises
	kept     kept
}

var _ Backend = (*Local)(nil)

// NewLocal opens the directory root, which must exist.
func NewLocal(root string) (*Local, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("open the storage root: %w", err)
	}
	return &Local{root: r, opened: time.Now(), kept: newKept()}, nil
}

// Configure sets how uploads and changes are completed from now on.
func (l *Local) Configure(o Options) { l.noSync.Store(o.NoSync) }

// Close closes the directory. Open views stay usable.
func (l *Local) Close() error {
	l.kept.close()
	return l.root.Close()
}

// Home opens the view of a home. home is a relative slash path below the root; "." is the root itself. If the
// directory does not exist, Home creates it with its parents (mode 0750) if create is set, and returns fs.ErrNotExist
// otherwise.
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
	v := &view{root: shared.Root, beneath: shared.beneath, noSync: &l.noSync, promises: &l.promises, kept: l.kept, place: home}
	if place, err := resolve(l.root, home, true); err == nil {
		v.place = place
	}
	v.close = sync.OnceValue(func() error { return l.homes.put(home, shared) })
	return v, nil
}

// makeHome creates the directory and its parents, durably: a file in a home is no safer than the home.
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

// openDir opens a directory as a root of its own. The final "." makes sure that it is a directory: OpenRoot alone
// would also open a FIFO, and block.
func openDir(root *os.Root, dir string) (rooted, error) {
	opened, err := root.OpenRoot(dir + "/.")
	return rooted{opened}, err
}
