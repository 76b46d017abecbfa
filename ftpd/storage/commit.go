package storage

import (
	"errors"
	"io/fs"
	"os"
	"sync"
)

// A change is durable once the file and the directory that names it are synced: two fsyncs, and the disk is made to
// empty its cache for each. Two things make that cheaper, and neither weakens what an acknowledgement says:
//
//   - Sessions that change the same directory at the same time share its fsync; see syncGroup.
//   - On a file system whose journal keeps the order, the data are only written out before the name is given, and the
//     fsync of the directory commits both; see keepsOrder.

// commit makes changes in one directory durable. A nil *commit does nothing: it is that of a storage with NoSync.
type commit struct {
	dir *os.File
	id  fileID // of the directory
}

// fileID tells a file from all others on this machine.
type fileID struct{ device, inode uint64 }

// idOf returns the identity of a file that this package has described.
func idOf(info fs.FileInfo) fileID {
	st := statOf(info)
	return fileID{uint64(st.Dev), uint64(st.Ino)} //nolint:unconvert // the types differ by system
}

func idOfOpen(f *os.File) (fileID, error) {
	info, err := f.Stat()
	if err != nil {
		return fileID{}, err
	}
	return idOf(info), nil
}

// opener is an *os.Root or a folder.
type opener interface {
	OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error)
}

// openCommit opens a directory in which something will be changed. The caller must close the commit.
func openCommit(root opener, dir string) (*commit, error) {
	f, err := root.OpenFile(dir, openDirFlags, 0)
	if err != nil {
		return nil, err
	}
	id, err := idOfOpen(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &commit{dir: f, id: id}, nil
}

// syncData makes sure that no change that is made in the directory from now on survives a crash without the data of f,
// which is a file in the directory. If it fails, nothing has been given a name yet, and the caller can still undo all.
func (c *commit) syncData(f *os.File) error {
	if c == nil {
		return nil
	}
	id, err := idOfOpen(f)
	if err != nil {
		return err
	}
	// A file that is a mount point lies on another device.
	if id.device == c.id.device && keepsOrder(c.dir, c.id.device) {
		return writeOut(f)
	}
	return syncFile(f)
}

// syncNames makes the changes that were made in the directory durable.
func (c *commit) syncNames() error {
	if c == nil {
		return nil
	}
	return dirSyncs.do(c.id, func() error { return syncFile(c.dir) })
}

func (c *commit) close() {
	if c != nil {
		_ = c.dir.Close() // it was only read
	}
}

// syncDir makes the entries of a directory durable.
func syncDir(root opener, dir string) error {
	c, err := openCommit(root, dir)
	if err != nil {
		return err
	}
	defer c.close()
	return c.syncNames()
}

// syncFile makes a file durable. It is a variable so that tests can count the calls and make them fail.
var syncFile = (*os.File).Sync

// dirSyncs are the fsyncs of directories that run in this process.
var dirSyncs syncGroup

// syncGroup lets callers that sync the same directory at the same time share one fsync. An fsync makes durable what
// had been changed when it began, so a caller that comes while one runs waits for the next. No caller waits for others to
// come: one that is alone syncs at once.
type syncGroup struct {
	mu sync.Mutex
	// next holds an entry for each directory of which a sync runs: the round that follows it, nil while no caller waits.
	next map[fileID]*syncRound
}

// syncRound is one fsync for the callers who came while the one before was running. The first of them does it.
type syncRound struct {
	turn chan struct{} // closed when the round before has ended
	done chan struct{} // closed when this one has ended
	err  error         // set before done is closed
}

// errNotSynced is what the others of a round get if the caller who syncs panics.
var errNotSynced = errors.New("the directory was not synced")

// do calls sync, or waits until another caller's sync that began after this call has ended. All callers of a round get
// the error of its sync.
func (g *syncGroup) do(id fileID, sync func() error) error {
	g.mu.Lock()
	round, running := g.next[id]
	if !running {
		if g.next == nil {
			g.next = map[fileID]*syncRound{}
		}
		g.next[id] = nil
		g.mu.Unlock()
		defer g.ended(id)
		return sync()
	}
	first := round == nil
	if first {
		round = &syncRound{turn: make(chan struct{}), done: make(chan struct{}), err: errNotSynced}
		g.next[id] = round
	}
	g.mu.Unlock()
	if !first {
		<-round.done
		return round.err
	}
	<-round.turn // from here on no caller joins
	defer close(round.done)
	defer g.ended(id)
	round.err = sync()
	return round.err
}

// ended begins the round that waits, if any.
func (g *syncGroup) ended(id fileID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	round := g.next[id]
	if round == nil {
		delete(g.next, id)
		return
	}
	g.next[id] = nil
	close(round.turn)
}
