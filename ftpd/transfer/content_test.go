package transfer

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// The reason for a transfer's end must decide whether what has arrived is kept.
func TestBrokeOff(t *testing.T) {
	t.Parallel()
	disk := func(e error) error { return &fs.PathError{Op: "write", Path: "/x", Err: e} }
	for _, c := range []struct {
		aborted, err error
		want         bool
	}{
		{nil, &net.OpError{Op: "read", Err: syscall.ECONNRESET}, true},
		{nil, disk(syscall.ECONNRESET), true}, // as splice reports it
		{nil, disk(os.ErrDeadlineExceeded), true},
		{nil, ErrLost, true},
		{ErrAborted, disk(os.ErrDeadlineExceeded), true},
		{ErrShutdown, nil, true},
		{ErrRevoked, disk(os.ErrDeadlineExceeded), false},
		{nil, disk(storage.ErrQuota), false},
		{nil, disk(syscall.ENOSPC), false},
		{nil, disk(syscall.EIO), false},
		{nil, storage.ErrQuota, false},
	} {
		u := &outcomeOfUpload{}
		tr := &Transfer{Plan: Plan{Content: &UploadContent{Upload: u, Keeps: true}}, Options: Options{Session: direct{}}, aborted: c.aborted}
		tr.drop(c.err)
		if u.kept != c.want || u.dropped == c.want {
			t.Errorf("%v, aborted by %v: kept %v, dropped %v; want kept %v", c.err, c.aborted, u.kept, u.dropped, c.want)
		}
		*u = outcomeOfUpload{}
		tr.Content = &UploadContent{Upload: u}
		if tr.drop(errors.Join(c.err)); !u.dropped {
			t.Errorf("%v, aborted by %v: not dropped", c.err, c.aborted)
		}
	}
}

// outcomeOfUpload records which of its methods was called.
type outcomeOfUpload struct {
	storage.Upload
	kept, dropped bool
}

func (u *outcomeOfUpload) Keep() error  { u.kept = true; return nil }
func (u *outcomeOfUpload) Abort() error { u.dropped = true; return nil }

// direct is a Session whose Contain does not catch panics.
type direct struct{ Session }

func (direct) Contain(f func() error) error { return f() }
