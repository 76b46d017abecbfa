package transfer

import (
	"context"
	"errors"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/internal/testkit"
)

// The reason for which a transfer failed must stay its cause if the client leaves, or aborts it, afterwards. The
// cause of an abort must stay the cause if something fails because of the abort.
func TestFirstCause(t *testing.T) {
	t.Parallel()
	_, server := testkit.Connected(t, socket.Listen)
	tr := moving(server)
	_, tr.cancel = context.WithCancelCause(t.Context())
	tr.fail(nil) // no error, so it has not failed
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
