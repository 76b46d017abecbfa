package transfer

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/internal/testkit"
)

// moving returns a transfer over conn, for benchmarks and tests of the loops that move data.
func moving(conn *net.TCPConn) *Transfer {
	return &Transfer{Options: Options{Timeout: time.Minute, Observer: observe.Nop{}}, conn: conn}
}

const benchSize = 64 << 20

func BenchmarkSendFile(b *testing.B) {
	client, server := testkit.Connected(b, socket.Listen)
	go func() { _, _ = io.Copy(io.Discard, client) }()
	f := testkit.File(b, benchSize)
	t := moving(server)
	b.SetBytes(benchSize)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			b.Fatal(err)
		}
		if err := sendFile(t, server, f, 0, benchSize); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReceiveFile(b *testing.B) {
	source := testkit.File(b, benchSize)
	b.SetBytes(benchSize)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		client, server := testkit.Connected(b, socket.Listen)
		f := testkit.File(b, 0)
		b.StartTimer()
		go func() {
			_, _ = io.Copy(client, io.NewSectionReader(source, 0, benchSize))
			_ = client.CloseWrite()
		}()
		if err := receiveFile(moving(server), server, f); err != nil {
			b.Fatal(err)
		}
	}
}
