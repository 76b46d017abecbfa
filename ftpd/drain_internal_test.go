package ftpd

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
	tr.abort(errLost)
	if r := tr.outcome(storage.ErrQuota); r.code != 552 || !errors.Is(r.err, storage.ErrQuota) {
		t.Errorf("%d %s, %v", r.code, r.text, r.err)
	}

	tr = moving(server)
	_, tr.cancel = context.WithCancelCause(t.Context())
	tr.abort(errLost)
	tr.fail(storage.ErrQuota)
	if r := tr.outcome(storage.ErrQuota); r.code != 426 || !errors.Is(r.err, errLost) {
		t.Errorf("%d %s, %v", r.code, r.text, r.err)
	}
}
