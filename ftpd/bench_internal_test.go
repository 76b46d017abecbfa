package ftpd

import (
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/auth"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// endless repeats a text.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text[e.at:])
	e.at = (e.at + n) % len(e.text)
	return n, nil
}

func BenchmarkCommandLine(b *testing.B) {
	r := wire.NewReader(&endless{text: "RETR some/directory/and-a-file.csv\r\n"}, nil)
	b.ReportAllocs()
	for b.Loop() {
		wire.ParseCommand(r.Next().Text)
	}
}

func BenchmarkReply(b *testing.B) {
	client, server := connected(b)
	go func() { _, _ = io.Copy(io.Discard, client) }()
	w := wire.NewWriter(newControlSocket(server, time.Minute), func(int) {}, nil)
	b.ReportAllocs()
	for b.Loop() {
		w.Reply(226, "Transfer complete.")
	}
}

// listed is an entry as listings have them.
func listed() (entry, time.Time) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var info fs.FileInfo = fileInfo{123456, 0o640, now.Add(-time.Hour)}
	return entry{name: "report-2026-000123.csv", info: info}, now
}

func BenchmarkLsLine(b *testing.B) {
	e, now := listed()
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		appendLsLine(buf, e, now)
	}
}

func BenchmarkFactLine(b *testing.B) {
	e, _ := listed()
	f := newFacts(allFacts, auth.All)
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		f.append(buf, e, "")
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
