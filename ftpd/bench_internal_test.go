package ftpd

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

func BenchmarkReply(b *testing.B) {
	client, server := connected(b)
	go func() { _, _ = io.Copy(io.Discard, client) }()
	w := wire.NewWriter(newControlSocket(server, time.Minute), func(int) {}, nil)
	b.ReportAllocs()
	for b.Loop() {
		w.Reply(226, "Transfer complete.")
	}
}

// connected are the two ends of a connection, the server's as Listen prepares it.
func connected(tb testing.TB) (client, server *net.TCPConn) {
	tb.Helper()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it has served
	dialled, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = dialled.Close()
		_ = accepted.Close()
	})
	return dialled.(*net.TCPConn), accepted.(*net.TCPConn)
}

// moving is a transfer over a connection, for the loops that move data.
func moving(conn net.Conn) *transfer {
	return &transfer{timeout: time.Minute, conn: conn, observer: observe.Nop{}}
}

const benchSize = 64 << 20

func BenchmarkSendFile(b *testing.B) {
	client, server := connected(b)
	go func() { _, _ = io.Copy(io.Discard, client) }()
	f := benchFile(b, benchSize)
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
	source := benchFile(b, benchSize)
	b.SetBytes(benchSize)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		client, server := connected(b)
		f := benchFile(b, 0)
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

func benchFile(tb testing.TB, size int64) *os.File {
	tb.Helper()
	f, err := os.Create(filepath.Join(tb.TempDir(), "file"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Close() })
	if err := f.Truncate(size); err != nil {
		tb.Fatal(err)
	}
	return f
}
