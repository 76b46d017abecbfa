//go:build !race

package ftpd

import (
	"io"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
	"github.com/ftp-operator/ftp-operator/internal/testkit"
)

// What is done for each reply and each chunk leaves nothing to collect.
func TestAllocations(t *testing.T) {
	client, server := connected(t)
	go func() { _, _ = io.Copy(io.Discard, client) }()
	replies := wire.NewWriter(socket.NewControl(server, time.Minute), func(int) {}, nil)
	file := testkit.File(t, 1<<30)
	data := moving(server)
	for _, tt := range []struct {
		name string
		most float64
		do   func()
	}{
		{"a reply", 0, func() { replies.Reply(226, "Transfer complete.") }},
		// io.LimitedReader, and what sendfile's callbacks hold.
		{"a chunk of a download", 6, func() { _ = sendFile(data, server, file, 0, 4096) }},
	} {
		if got := testing.AllocsPerRun(100, tt.do); got > tt.most {
			t.Errorf("%s: %v allocations, at most %v were expected", tt.name, got, tt.most)
		}
	}
}
