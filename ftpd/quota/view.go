package quota

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// view is a user's view with his quota on it. What changes nothing goes straight to the FS below.
type view struct {
	storage.FS
	r    *Registry
	user string
	home string
}

// abs is the path of a name of the view below the storage root.
func (v *view) abs(name string) string { return path.Join(v.home, name) }

// limited reports whether the user has a limit, and waits until his home has been counted if so.
func (v *view) limited() (bool, error) {
	if !v.r.limit(v.user).bounded() {
		return false, nil
	}
	return true, v.r.counted(v.home)
}

// enforce does something that may exceed the quota. It is done again if the count that refused it
// was not fresh.
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
		r, abs, one := v.r, v.abs(name), usage{files: 1}
		defer r.locks.change(abs)()
		r.mu.Lock()
		accounts := r.holding(abs)
		taken := r.take(v.user, v.home, accounts, one)
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

// there is what lies at a name whose lock is held; nil if nothing does.
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
	abs := v.abs(name)
	defer v.r.locks.change(abs)()
	if !v.r.watched(abs) {
		return do(name)
	}
	_, gone := v.there(name)
	if err := do(name); err != nil {
		return err
	}
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	delete(v.r.appends, abs)
	v.r.record(abs, usage{}.minus(gone))
	return nil
}

func (v *view) Rename(from, to string) error { return v.move(from, to, v.FS.Rename) }

func (v *view) RenameNew(from, to string) error { return v.move(from, to, v.FS.RenameNew) }

// move is one of the two, with what it moves accounted for.
func (v *view) move(from, to string, rename func(from, to string) error) error {
	old, target := v.abs(from), v.abs(to)
	defer v.r.locks.change(old, target)()
	if !v.r.any() {
		return rename(from, to)
	}
	info, moved := v.there(from)
	replacedInfo, replaced := v.there(to)
	if err := rename(from, to); err != nil {
		return err
	}
	if info == nil || replacedInfo != nil && os.SameFile(info, replacedInfo) {
		return nil // nothing has changed
	}
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	delete(v.r.appends, target)
	v.r.record(target, moved.minus(replaced))
	v.r.record(old, usage{}.minus(moved))
	if info.IsDir() {
		v.r.moved(old, target)
	}
	return nil
}

// any reports whether anything is counted at all.
func (r *Registry) any() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.accounts) > 0
}

// Available is what the disk has free and the quota leaves.
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

// Quota tells the user's quota; errors.ErrUnsupported if he has none.
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

// Combine puts files together. What the parts hold is free again afterwards, so the target may
// use it.
func (v *view) Combine(ctx context.Context, target string, parts []string) error {
	var credit int64
	for _, part := range parts {
		if info, err := v.FS.Stat(part); err == nil && info.Mode().IsRegular() {
			credit += info.Size()
		}
	}
	create := func(name string, o storage.CreateOptions) (storage.Upload, error) {
		return v.create(name, o, credit)
	}
	return storage.CombineBy(ctx, v, create, target, parts)
}
