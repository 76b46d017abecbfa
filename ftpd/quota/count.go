package quota

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// walk is a running count of a home. Registry.mu guards its fields, except done and err.
type walk struct {
	sum usage
	// visited holds the directories that were counted. A change in one of them must be added to sum.
	visited map[string]bool
	void    bool // a directory was moved: start over
	again   bool // start another count when this one has ended

	done chan struct{} // closed when the count has ended
	err  error         // set before done is closed
}

// begin starts a count of the home, unless it was counted recently or a count is running.
func (r *Registry) begin(home string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.account(home)
	if !a.counted || r.older(a, r.recountAfter, 50*freshFactor) {
		r.start(a)
	}
}

// account returns the account of a home. The caller holds mu.
func (r *Registry) account(home string) *account {
	a := r.accounts[home]
	if a == nil {
		a = &account{home: home}
		r.accounts[home] = a
	}
	return a
}

// older reports whether the last count is older than d, and older than so many times its duration.
func (r *Registry) older(a *account, d time.Duration, times int) bool {
	return time.Since(a.began) > max(d, time.Duration(times)*a.took)
}

// start starts a count if none is running, and returns the running one. The caller holds mu.
func (r *Registry) start(a *account) *walk {
	if a.walk == nil {
		w := &walk{visited: map[string]bool{}, done: make(chan struct{})}
		if r.ctx.Err() != nil {
			w.err = r.ctx.Err()
			close(w.done)
			return w
		}
		a.walk, a.began = w, time.Now()
		r.counts.Go(func() { r.count(a, w) })
	}
	return a.walk
}

// restart makes sure that a count begins after now: at once or, if one is running, when that has ended. The caller
// holds mu.
func (r *Registry) restart(a *account) {
	if a.walk != nil {
		a.walk.again = true
		return
	}
	r.start(a)
}

// counted waits until the home has been counted. The caller must not hold any lock of a path.
func (r *Registry) counted(home string) error {
	r.begin(home)
	r.mu.Lock()
	a := r.accounts[home]
	w := a.walk
	if a.counted {
		r.mu.Unlock()
		return nil
	}
	if w == nil {
		w = r.start(a)
	}
	r.mu.Unlock()
	<-w.done
	return w.err
}

// refresh counts the home again, and waits for the result, unless the last count is fresh. It reports whether there
// is a new count. The caller must not hold any lock of a path.
func (r *Registry) refresh(home string) bool {
	r.mu.Lock()
	a := r.accounts[home]
	if a == nil || a.walk == nil && !r.older(a, r.freshFor, freshFactor) {
		r.mu.Unlock()
		return false
	}
	w := r.start(a)
	r.mu.Unlock()
	<-w.done
	return w.err == nil
}

// count runs the count w, and puts its result in the account.
func (r *Registry) count(a *account, w *walk) {
	defer close(w.done)
	const tries = 5
	begin := time.Now()
	for n := 1; ; n++ {
		w.err = r.walkHome(a.home, w)
		r.mu.Lock()
		if w.err == nil && w.void && n < tries {
			w.sum, w.visited, w.void = usage{}, map[string]bool{}, false
			r.mu.Unlock()
			continue
		}
		break
	}
	defer r.mu.Unlock()
	a.walk, a.took = nil, time.Since(begin)
	if w.err == nil {
		a.used, a.counted = w.sum, true
	} else if r.ctx.Err() == nil {
		r.log.Error("a home can't be counted for the quota", "home", a.home, "error", w.err)
	}
	if w.again || w.void {
		r.start(a)
	}
}

// walkHome counts a home, one directory after another.
func (r *Registry) walkHome(home string, w *walk) error {
	fsys, err := r.open(home)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer fsys.Close() //nolint:errcheck // it was only read
	for dirs := []string{"/"}; len(dirs) > 0; {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		dir := dirs[len(dirs)-1]
		below, err := r.walkDir(fsys, home, dir, w)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, storage.ErrNotDirectory):
			// The directory was removed or replaced since its parent was read.
		case errors.Is(err, fs.ErrPermission):
			// The server has no access, as to a file system's lost+found. So neither it nor its users can add to it.
		case err != nil:
			return err
		}
		dirs = append(dirs[:len(dirs)-1], below...)
	}
	return nil
}

// walkDir adds a directory to the count, in one step as seen by changes, and returns the directories in it.
func (r *Registry) walkDir(fsys storage.FS, home, dir string, w *walk) (below []string, err error) {
	abs := path.Join(home, dir)
	defer r.locks.count(abs)()
	r.mu.Lock()
	known := w.visited[abs]
	r.mu.Unlock()
	if known {
		return nil, nil
	}
	d, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close() //nolint:errcheck // it was only read
	var sum usage
	for {
		info, err := d.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if info.IsDir() {
			below = append(below, path.Join(dir, info.Name()))
		}
		sum = sum.plus(r.amount(path.Join(abs, info.Name()), info))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w.sum = w.sum.plus(sum)
	w.visited[abs] = true
	return below, nil
}

// amount returns what an entry counts for. A file counts with its size, but without what is being appended to it,
// which is reserved.
func (r *Registry) amount(name string, info fs.FileInfo) usage {
	if !info.Mode().IsRegular() {
		return usage{files: 1}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if u := r.appends[name]; u != nil {
		return usage{bytes: u.before, files: 1}
	}
	return usage{bytes: info.Size(), files: 1}
}
