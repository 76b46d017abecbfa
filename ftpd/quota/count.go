package quota

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// walk is a count that is being made. Its fields, but for done and err, are guarded by the
// Registry's mu.
type walk struct {
	sum usage
	// visited are the directories that were counted: changes in them have to be added.
	visited map[string]bool
	void    bool // a directory was moved: begin anew
	again   bool // when it has ended, begin anew

	done chan struct{} // closed at the end
	err  error         // set before that
}

// begin sees to it that the home is counted, or being counted, or is counted again if that was
// long ago.
func (r *Registry) begin(home string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.account(home)
	if !a.counted || r.older(a, r.recountAfter, 50*freshFactor) {
		r.start(a)
	}
}

// account returns a home's account. Called with mu.
func (r *Registry) account(home string) *account {
	a := r.accounts[home]
	if a == nil {
		a = &account{home: home}
		r.accounts[home] = a
	}
	return a
}

// older reports whether the last count is older than d, and than so many times the time it took.
func (r *Registry) older(a *account, d time.Duration, times int) bool {
	return time.Since(a.began) > max(d, time.Duration(times)*a.took)
}

// start begins a count if none is being made, and returns the one that is. Called with mu.
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

// restart begins a count that sees what is there now. Called with mu.
func (r *Registry) restart(a *account) {
	if a.walk != nil {
		a.walk.again = true
		return
	}
	r.start(a)
}

// counted waits until the home has been counted. No lock of a path may be held.
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

// refresh counts the home again, and waits for it, if the count is not fresh: false if it is. No
// lock of a path may be held.
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

// count makes a count.
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

// walkHome counts a home, directory after directory.
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
			// It was removed or replaced since its parent was read.
		case errors.Is(err, fs.ErrPermission):
			// Not ours, such as a file system's lost+found: nor can we, or our users, add to it.
		case err != nil:
			return err
		}
		dirs = append(dirs[:len(dirs)-1], below...)
	}
	return nil
}

// walkDir adds a directory to the count, at once with regard to changes, and returns the
// directories in it.
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

// amount is what an entry counts for: a file by its size, without what is being appended to it,
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
