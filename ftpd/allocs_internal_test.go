//go:build !race

package ftpd

import (
	"io"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/auth"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// What is done for each command, each entry and each chunk leaves nothing to collect, but for the
// text of the command.
func TestAllocations(t *testing.T) {
	client, server := connected(t)
	go func() { _, _ = io.Copy(io.Discard, client) }()
	reader := wire.NewReader(&endless{text: "RETR some/directory/and-a-file.csv\r\n"}, nil)
	replies := wire.NewWriter(newControlSocket(server, time.Minute), func(int) {}, nil)
	e, now := listed()
	f := newFacts(allFacts, auth.All)
	buf := make([]byte, 0, 256)
	file := benchFile(t, 1<<30)
	data := moving(server)
	for _, tt := range []struct {
		name string
		most float64
		do   func()
	}{
		{"a command line", 1, func() { wire.ParseCommand(reader.Next().Text) }},
		{"a reply", 0, func() { replies.Reply(226, "Transfer complete.") }},
		{"a line of LIST", 0, func() { appendLsLine(buf, e, now) }},
		{"a line of MLSD", 0, func() { f.append(buf, e, "") }},
		// io.LimitedReader, and what sendfile's callbacks hold.
		{"a chunk of a download", 6, func() { _ = sendFile(data, server, file, 0, 4096) }},
	} {
		if got := testing.AllocsPerRun(100, tt.do); got > tt.most {
			t.Errorf("%s: %v allocations, at most %v were expected", tt.name, got, tt.most)
		}
	}
}
