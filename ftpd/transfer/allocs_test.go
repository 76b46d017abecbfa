//go:build !race

package transfer

import (
	"io"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/internal/testkit"
)

// A chunk of a download must allocate little: an io.LimitedReader, and what the callbacks of sendfile hold.
func TestAllocationsOfDownload(t *testing.T) {
	client, server := testkit.Connected(t, socket.Listen)
	go func() { _, _ = io.Copy(io.Discard, client) }()
	file := testkit.File(t, 1<<30)
	data := moving(server)
	if got := testing.AllocsPerRun(100, func() { _ = sendFile(data, server, file, 0, 4096) }); got > 6 {
		t.Errorf("a chunk of a download: %v allocations, at most 6 were expected", got)
	}
}
