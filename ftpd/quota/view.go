package quota

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// view is a user's view, limited by the user's quota. Operations that change nothing go directly to the FS below.
type view struct {
	storage.FS
	r    *Registry
	user string
	home string
}

// abs returns the path of a name below the storage root.
func (v *view) abs(name string) string { return path.Join(v.home, name) }

// rel returns the name in the view of a path below the storage root. It returns false if the path is not in the view.
func (v *view) rel(abs string) (name string, ok bool) {
	if abs == v.home {
		return "/", true
	}
	if v.home == "." {
		return "/" + abs, true
	}
	return strings.TrimPrefix(abs, v.home), inside(v.home, abs)
}

// lock locks names for a change, with a method of locks, after following the links in them. It returns the names in
// the view that it has locked, and their paths below the storage root. last says that a link in the last place is
// followed, too.
func (v *view) lock(last bool, by func(...string) func(), names ...string) (actual, abs []string, unlock func()) {
	resolve := func() (abs []string) {
		for _, name := range names {
			if v.r.any() {
				if resolved, err := storage.Resolve(v.FS, name, last); err == nil { // if this fails, the operation itself will fail, too
					name = resolved
				}
			}
			abs = append(abs, v.abs(name))
		}
		return abs
	}
	abs = resolve()
	for {
		unlock = by(abs...)
		if again := resolve(); !slices.Equal(abs, again) {
			unlock()
			abs = again
			continue
		}
		break
	}
	for _, p := range abs {
		name, _ := v.rel(p)
		actual = append(actual, name)
	}
	return actual, abs, unlock
}

// lockOne does the same as lock, for one name.
func (v *view) lockOne(last bool, name string) (actual, abs string, unlock func()) {
	names, paths, unlock := v.lock(last, v.r.locks.change, name)
	return names[0], paths[0], unlock
}

// limited reports whether the user has a limit. If so, it first waits until the home has been counted.
func (v *view) limited() (bool, error) {
	if !v.r.limit(v.user).bounded() {
		return false, nil
	}
	return true, v.r.counted(v.home)
}

// enforce calls do, which may fail because of the quota. If the count that caused that was not fresh, it counts again
// and repeats do.
func (v *view) enforce(op, name string, do func() error) error {
	if _, err := v.limited(); err != nil {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	err := do()
	if errors.Is(err, storage.ErrQuota) && v.r.refresh(v.home) {
		err = do()
	}
	return err
}

func (v *view) Mkdir(name string) error {
	return v.enforce("mkdir", name, func() error {
		r, one := v.r, usage{files: 1}
		name, abs, unlock := v.lockOne(false, name)
		defer unlock()
		r.mu.Lock()
		accounts := r.holding(abs)
		taken := r.allows(v.user, v.home, one)
		if taken {
			for _, a := range accounts {
				a.reserved = a.reserved.plus(one)
			}
		}
		r.mu.Unlock()
		if !taken {
			return &fs.PathError{Op: "mkdir", Path: name, Err: storage.ErrQuota}
		}
		err := v.FS.Mkdir(name)
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, a := range accounts {
			a.reserved = a.reserved.minus(one)
		}
		if err == nil {
			r.made(abs)
		}
		return err
	})
}

// there describes the file at a name; info is nil if there is none. The caller holds the name's lock.
func (v *view) there(name string) (info fs.FileInfo, now usage) {
	info, err := v.FS.Lstat(name)
	if err != nil {
		return nil, usage{}
	}
	return info, v.r.amount(v.abs(name), info)
}

func (v *view) Remove(name string) error { return v.remove(name, v.FS.Remove) }
func (v *view) Rmdir(name string) error  { return v.remove(name, v.FS.Rmdir) }

func (v *view) remove(name string, do func(string) error) error {
	name, _, unlock := v.lockOne(false, name)
	defer unlock()
	return v.removeLocked(name, do)
}

// removeLocked removes the file at a name that contains no links. The caller holds the name's lock.
func (v *view) removeLocked(name string, do func(string) error) error {
	abs := v.abs(name)
	if !v.r.watched(abs) {
		return do(name)
	}
	info, gone := v.there(name)
	if err := do(name); err != nil {
		return err
	}
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	v.r.put(abs, gone, usage{})
	v.r.unnamed(abs, info, gone)
	return nil
}

func (v *view) Rename(from, to string) error { return v.move(from, to, v.FS.Rename) }

func (v *view) RenameNew(from, to string) error { return v.move(from, to, v.FS.RenameNew) }

// move renames with the function rename, and counts the change.
func (v *view) move(from, to string, rename func(from, to string) error) error {
	if !v.r.any() {
		defer v.r.locks.change(v.abs(from), v.abs(to))()
		return rename(from, to)
	}
	names, paths, info, unlock := v.lockMove(from, to)
	defer unlock()
	from, to = names[0], names[1]
	old, target := paths[0], paths[1]
	_, moved := v.there(from)
	replacedInfo, replaced := v.there(to)
	if err := rename(from, to); err != nil {
		return err
	}
	if info == nil || replacedInfo != nil && os.SameFile(info, replacedInfo) {
		return nil // nothing has changed
	}
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	v.r.put(target, replaced, moved)
	v.r.unnamed(target, replacedInfo, replaced)
	v.r.put(old, moved, usage{})
	if info.IsDir() {
		v.r.moved(old, target)
	}
	return nil
}

// lockMove locks the names of a move. It locks them as ways, too, if the file at the first is not regular; info
// describes that file.
func (v *view) lockMove(from, to string) (names, paths []string, info fs.FileInfo, unlock func()) {
	ways := func(names ...string) func() { return v.r.locks.move(names[0], names[1]) }
	for by := v.r.locks.change; ; by = ways {
		alone := info != nil && !info.Mode().IsRegular()
		names, paths, unlock = v.lock(false, by, from, to)
		if info, _ = v.there(names[0]); alone || info == nil || info.Mode().IsRegular() {
			return names, paths, info, unlock
		}
		unlock()
	}
}

// any reports whether there are any accounts.
func (r *Registry) any() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.accounts) > 0
}

// Available returns the smaller of the disk's free space and what the quota leaves.
func (v *view) Available(name string) (int64, error) {
	free, err := storage.Available(v.FS, name)
	limited, countErr := v.limited()
	if !limited || countErr != nil {
		return free, errors.Join(err, countErr)
	}
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	limit := v.r.limits[v.user]
	if limit.Bytes <= 0 {
		return free, err
	}
	left := max(0, v.r.account(v.home).left(limit).bytes)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return left, nil
	case err != nil:
		return 0, err
	}
	return min(free, left), nil
}

// Quota returns the user's quota and usage; errors.ErrUnsupported if there is no limit.
func (v *view) Quota() (storage.Quota, error) {
	switch limited, err := v.limited(); {
	case err != nil:
		return storage.Quota{}, err
	case !limited:
		return storage.Quota{}, errors.ErrUnsupported
	}
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	limit, a := v.r.limits[v.user], v.r.account(v.home)
	used := a.used.plus(a.reserved)
	return storage.Quota{
		LimitBytes: limit.Bytes, LimitFiles: limit.Files,
		UsedBytes: used.bytes, UsedFiles: used.files,
	}, nil
}
