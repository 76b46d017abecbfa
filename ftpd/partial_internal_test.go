package ftpd

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// What ends a transfer decides whether what has come is kept.
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
		{nil, errLost, true},
		{errAborted, disk(os.ErrDeadlineExceeded), true},
		{errShutdown, nil, true},
		{errRevoked, disk(os.ErrDeadlineExceeded), false},
		{nil, disk(storage.ErrQuota), false},
		{nil, disk(syscall.ENOSPC), false},
		{nil, disk(syscall.EIO), false},
		{nil, storage.ErrQuota, false},
	} {
		kept, dropped := false, false
		tr := &transfer{job: job{keep: func() error { kept = true; return nil }, discard: func() { dropped = true }}, aborted: c.aborted}
		tr.giveUp(c.err)
		if kept != c.want || dropped == c.want {
			t.Errorf("%v, aborted by %v: kept %v, dropped %v; want kept %v", c.err, c.aborted, kept, dropped, c.want)
		}
		kept, dropped = false, false
		tr.keep = nil
		if tr.giveUp(errors.Join(c.err)); !dropped {
			t.Errorf("%v, aborted by %v: not dropped", c.err, c.aborted)
		}
	}
}
