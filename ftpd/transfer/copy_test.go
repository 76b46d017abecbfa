package transfer

import (
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/internal/testkit"
)

// With all slots taken nothing is sent, and nothing is wrong.
func TestSendBlockingTooMany(t *testing.T) { // alone: it takes the slots of all
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
