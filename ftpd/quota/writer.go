package quota

import (
	"errors"
	"io"
	"sync"
)

const (
	// ahead is the number of bytes reserved at a time before they arrive, while there is plenty left.
	ahead = 4 << 20
	// headroom says when plenty is left: all uploads together may reserve ahead at most 1/headroom of what is left. An
	// upload that stands still must not keep others from the space that they need.
	headroom = 16
	// exact is the number of bytes read at a time otherwise; they are reserved once they have arrived.
	exact = 64 << 10
)

var buffers = sync.Pool{New: func() any { b := make([]byte, exact); return &b }}

// writer reserves what it writes. Its ReadFrom leaves the copying to the file below, so that splice applies.
type writer struct {
	u  *upload
	to io.Writer
}

// Write writes all of p, or fails with ErrQuota and writes nothing, if the quota is the reason.
func (w *writer) Write(p []byte) (int, error) {
	if err := w.u.grow(int64(len(p))); err != nil {
		return 0, err
	}
	n, err := w.to.Write(p)
	w.u.wrote(int64(n), 0)
	return n, err
}

// ReadFrom copies src until its end. It unwraps an io.LimitedReader, because the file below sees through only one of
// these.
func (w *writer) ReadFrom(src io.Reader) (moved int64, err error) {
	limit, ok := src.(*io.LimitedReader)
	if !ok {
		limit = &io.LimitedReader{R: src, N: 1<<63 - 1}
	}
	for limit.N > 0 {
		n, end, err := w.step(limit.R, min(limit.N, ahead))
		moved += n
		limit.N -= n
		if end || err != nil {
			return moved, err
		}
	}
	return moved, nil
}

// step copies at most n bytes. end reports whether src has ended.
func (w *writer) step(src io.Reader, n int64) (moved int64, end bool, err error) {
	granted, reserved, err := w.u.lookAhead(n)
	if err != nil {
		return 0, false, err
	}
	if granted {
		moved, err = io.Copy(w.to, &io.LimitedReader{R: src, N: n})
		w.u.wrote(moved, reserved)
		return moved, err == nil && moved < n, err
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	got, err := src.Read((*buf)[:min(n, exact)])
	if got > 0 {
		put, failed := w.Write((*buf)[:got])
		moved = int64(put)
		if failed != nil {
			return moved, false, failed
		}
	}
	if errors.Is(err, io.EOF) {
		return moved, true, nil
	}
	return moved, false, err
}

// grow reserves n more bytes, or returns ErrQuota.
func (u *upload) grow(n int64) error {
	return u.v.enforce("store", u.name, func() error {
		u.v.r.mu.Lock()
		defer u.v.r.mu.Unlock()
		return u.resize(n)
	})
}

// wrote records that n bytes were written, and gives back what else was reserved. reservedAhead is what lookAhead has
// returned.
func (u *upload) wrote(n, reservedAhead int64) {
	r := u.v.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if own := r.accounts[u.v.home]; own != nil {
		own.ahead -= reservedAhead
	}
	u.written, u.ahead = u.written+n, 0
	u.rebalance()
}

// lookAhead reserves n bytes that may arrive, if there is plenty left. A user without a limit needs no reservation:
// what is written is recorded afterwards.
func (u *upload) lookAhead(n int64) (granted bool, reserved int64, err error) {
	limited, err := u.v.limited()
	if err != nil {
		return false, 0, err
	}
	r := u.v.r
	r.mu.Lock()
	defer r.mu.Unlock()
	limit := r.limits[u.v.user]
	if !limited || limit.Bytes <= 0 {
		return true, 0, nil
	}
	own, before := r.account(u.v.home), u.held.bytes
	left := own.left(limit).bytes
	if u.resize(n) != nil {
		return false, 0, nil
	}
	more := u.held.bytes - before
	if more > 0 && (own.ahead+more)*headroom > left {
		u.ahead = 0
		u.rebalance()
		return false, 0, nil
	}
	own.ahead += more
	return true, more, nil
}
