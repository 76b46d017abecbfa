//go:build !race

package ftpd

import (
	"io"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// Sending a reply must not allocate.
func TestAllocations(t *testing.T) {
	client, server := connected(t)
	go func() { _, _ = io.Copy(io.Discard, client) }()
	replies := wire.NewWriter(socket.NewControl(server, time.Minute), func(int) {}, nil)
	for _, tt := range []struct {
		name string
		most float64
		do   func()
	}{
		{"a reply", 0, func() { replies.Reply(226, "Transfer complete.") }},
	} {
		if got := testing.AllocsPerRun(100, tt.do); got > tt.most {
			t.Errorf("%s: %v allocations, at most %v were expected", tt.name, got, tt.most)
		}
	}
}
