package transfer

import (
	"compress/zlib"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptls"
	"github.com/ftp-operator/ftp-operator/ftpd/passive"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// Every way in which a transfer can end must have its reply.
func TestOutcome(t *testing.T) {
	t.Parallel()
	broken := func(e error) error { return &net.OpError{Op: "read", Err: os.NewSyscallError("read", e)} }
	disk := func(e error) error { return &fs.PathError{Op: "write", Path: "/x", Err: e} }
	tests := []struct {
		aborted, err error
		code         int
	}{
		{nil, nil, 226},
		{nil, broken(syscall.ECONNRESET), 426},
		{nil, disk(syscall.ECONNRESET), 426}, // as splice reports it
		{nil, broken(syscall.EPIPE), 426},
		{nil, broken(os.ErrDeadlineExceeded), 426},
		{ErrAborted, broken(os.ErrDeadlineExceeded), 426},
		{ErrShutdown, broken(os.ErrDeadlineExceeded), 426},
		{ErrRevoked, broken(os.ErrDeadlineExceeded), 426},
		{ErrRevoked, nil, 226}, // the abort came too late
		{nil, errShrunk, 426},
		{nil, ErrLost, 426},
		{nil, &connectError{passive.ErrExpired}, 425},
		{nil, &connectError{broken(syscall.ECONNREFUSED)}, 425},
		{ErrAborted, &connectError{errors.New("cancelled")}, 426},
		{nil, disk(syscall.ENOSPC), 452},
		{nil, disk(syscall.EDQUOT), 552},
		{nil, disk(storage.ErrQuota), 552},
		{nil, disk(storage.ErrBusy), 450},
		{nil, &protectError{ftptls.ErrNotResumed}, 522},
		{ErrAborted, &protectError{io.EOF}, 426},
		{nil, ftptls.ErrTruncated, 426},
		{nil, errDeflateBusy, 450},
		{nil, inflateError(io.ErrUnexpectedEOF), 426},
		{nil, disk(syscall.EIO), 451},
		{nil, disk(fs.ErrNotExist), 451},
		{nil, fs.ErrExist, 553},
		{nil, errors.New("anything"), 426},
		{nil, ErrPanicked, 421},
		{ErrAborted, ErrPanicked, 421},
		{nil, &protectError{ftptls.ErrOtherCertificate}, 522},
		{nil, &protectError{os.ErrDeadlineExceeded}, 522},
		{nil, &protectError{io.EOF}, 522},
		{nil, inflateError(zlib.ErrChecksum), 426},
		{nil, broken(syscall.EIO), 451}, // as sendfile reports it
	}
	used := map[*outcome]bool{}
	for _, tt := range tests {
		tr := &Transfer{aborted: tt.aborted}
		if tt.err != nil {
			o, _ := tr.find(tt.err)
			used[o] = true
		}
		if r := tr.outcome(tt.err); r.Code != tt.code || (r.Err == nil) != (tt.err == nil) || r.Text == "" && tt.err != nil {
			t.Errorf("%v, aborted by %v: %+v, want %d", tt.err, tt.aborted, r, tt.code)
		}
	}
	for i := range outcomes {
		if !used[&outcomes[i]] {
			t.Errorf("nothing ends a transfer by outcome %d: %d %s", i, outcomes[i].code, outcomes[i].text)
		}
	}
}
