package ftptls

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"

	"pgregory.net/rapid"
)

// stream is a connection that delivers its bytes in pieces.
type stream struct {
	net.Conn
	rest  []byte
	piece int
}

func (s *stream) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.rest[:min(len(s.rest), s.piece)])
	s.rest = s.rest[n:]
	return n, nil
}

// For any sizes of reads and any pieces that the network delivers, no read crosses the end of a record, no byte is
// lost, and the end is ErrTruncated.
func TestRecordCarrier(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []byte
		ends := map[int]bool{0: true}
		for range rapid.IntRange(0, 5).Draw(t, "records") {
			body := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "body")
			all = append(all, 22, 3, 3, byte(len(body)>>8), byte(len(body)))
			all = append(all, body...)
			ends[len(all)] = true
		}
		c := &recordCarrier{Conn: &stream{rest: bytes.Clone(all), piece: rapid.IntRange(1, 50).Draw(t, "piece")}}
		var got []byte
		for {
			buf := make([]byte, rapid.IntRange(1, 400).Draw(t, "asked"))
			n, err := c.Read(buf)
			for i := len(got) + 1; i < len(got)+n; i++ {
				if ends[i] {
					t.Fatalf("a read of %d at %d crosses the end of a record at %d", n, len(got), i)
				}
			}
			got = append(got, buf[:n]...)
			if err != nil {
				if !errors.Is(err, ErrTruncated) {
					t.Fatal(err)
				}
				break
			}
		}
		if !bytes.Equal(got, all) {
			t.Fatalf("got %d bytes of %d", len(got), len(all))
		}
	})
}
