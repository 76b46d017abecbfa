package transfer

import (
	"context"
	"errors"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/internal/testkit"
)

// What a transfer failed with stays its cause when the client leaves, or ends it, afterwards; and an abort stays the
// cause of what breaks by it.
func TestFirstCause(t *testing.T) {
	t.Parallel()
	_, server := testkit.Connected(t, socket.Listen)
	tr := moving(server)
	_, tr.cancel = context.WithCancelCause(t.Context())
	tr.fail(nil) // is none
	tr.fail(storage.ErrQuota)
	tr.Abort(ErrLost)
	if r := tr.outcome(storage.ErrQuota); r.Code != 552 || !errors.Is(r.Err, storage.ErrQuota) {
		t.Errorf("%d %s, %v", r.Code, r.Text, r.Err)
	}

	tr = moving(server)
	_, tr.cancel = context.WithCancelCause(t.Context())
	tr.Abort(ErrLost)
	tr.fail(storage.ErrQuota)
	if r := tr.outcome(storage.ErrQuota); r.Code != 426 || !errors.Is(r.Err, ErrLost) {
		t.Errorf("%d %s, %v", r.Code, r.Text, r.Err)
	}
}
