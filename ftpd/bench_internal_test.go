package ftpd

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
	"github.com/ftp-operator/ftp-operator/internal/testkit"
)

func BenchmarkReply(b *testing.B) {
	client, server := testkit.Connected(b, socket.Listen)
	go func() { _, _ = io.Copy(io.Discard, client) }()
	w := wire.NewWriter(socket.NewControl(server, time.Minute), func(int) {}, nil)
	b.ReportAllocs()
	for b.Loop() {
		w.Reply(226, "Transfer complete.")
	}
}

// connected returns the two ends of a connection; the server's end is prepared as by Listen.
func connected(tb testing.TB) (client, server *net.TCPConn) {
	tb.Helper()
	return testkit.Connected(tb, Listen)
}
