package ftpd_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// BenchmarkSmallFiles moves files of 1 KiB, each over a data connection of its own. Allocations are those of the client and
// the server together; a profile tells them apart.
func BenchmarkSmallFiles(b *testing.B) {
	s := ftptest.Start(b)
	conn, err := net.Dial("tcp", s.Addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // a test's
	c := textproto.NewReader(bufio.NewReader(conn))
	talk := func(command string) string {
		if command != "" {
			_, _ = io.WriteString(conn, command+"\r\n")
		}
		_, text, err := c.ReadResponse(0)
		if err != nil {
			b.Fatal(command, err)
		}
		return text
	}
	talk("")
	talk("USER alice")
	talk("PASS " + ftptest.Password)
	talk("TYPE I")
	data := []byte(strings.Repeat("x", 1024))
	move := func(command string, upload bool) {
		var port int
		_, text, _ := strings.Cut(talk("EPSV"), "(")
		if _, err := fmt.Sscanf(text, "|||%d|)", &port); err != nil {
			b.Fatal(text, err)
		}
		d, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			b.Fatal(err)
		}
		talk(command)
		if upload {
			_, _ = d.Write(data)
		} else {
			_, _ = io.Copy(io.Discard, d)
		}
		_ = d.Close()
		talk("")
	}
	move("STOR f", true)
	for name, command := range map[string]string{"RETR": "RETR f", "STOR": "STOR g", "LIST": "LIST"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				move(command, name == "STOR")
			}
		})
	}
}
