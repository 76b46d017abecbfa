package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// inPlace is an upload that goes on with a file.
type inPlace struct {
	name string
	f    *os.File
	cut  bool // what lies beyond the end of the upload goes
	done bool
}

func (v *view) openInPlace(name, p string, o CreateOptions) (Upload, error) {
	// Without O_APPEND, which would rule out splice.
	f, err := v.root.OpenFile(p, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, failure("create", name, err)
	}
	u := &inPlace{name: name, f: f, cut: !o.Append}
	if err := u.begin(o); err != nil {
		_ = f.Close()
		return nil, failure("create", name, err)
	}
	return u, nil
}

func (u *inPlace) begin(o CreateOptions) error {
	info, err := regular(u.f)
	if err != nil {
		return err
	}
	offset := o.Offset
	if o.Append {
		offset = info.Size()
	}
	if offset > info.Size() {
		return ErrOffset
	}
	_, err = u.f.Seek(offset, io.SeekStart)
	return err
}

func (u *inPlace) Writer() io.Writer { return u.f }

func (u *inPlace) Commit() error {
	if u.done {
		return fs.ErrClosed
	}
	u.done = true
	var err error
	if u.cut {
		err = u.truncate()
	}
	if err == nil {
		err = u.f.Sync()
	}
	return failure("store", u.name, errors.Join(err, u.f.Close()))
}

// truncate ends the file where the writing ended.
func (u *inPlace) truncate() error {
	end, err := u.f.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	return u.f.Truncate(end)
}

func (u *inPlace) Abort() error {
	if u.done {
		return fs.ErrClosed
	}
	u.done = true
	return failure("drop the upload of", u.name, u.f.Close())
}
