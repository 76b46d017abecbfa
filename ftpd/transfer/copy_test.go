package transfer

import (
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/internal/testkit"
)

// With all slots taken, sendBlocking must send nothing and return no error.
func TestSendBlockingTooMany(t *testing.T) { // not parallel: it takes the slots of the whole process
	_, server := testkit.Connected(t, socket.Listen)
	for range maxWaiting {
		waitingThreads.TryEnter()
	}
	defer func() {
		for range maxWaiting {
			waitingThreads.Leave()
		}
	}()
	if n, err := sendBlocking(server, testkit.File(t, 1), 1); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
