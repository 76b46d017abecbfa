package quota

import (
	"errors"
	"io"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// recorder is an upload that records how it is written to.
type recorder struct {
	storage.Upload
	from []io.Reader
}

func (r *recorder) Writer() io.Writer { return r }

func (r *recorder) Write(p []byte) (int, error) {
	return len(p), nil
}

func (r *recorder) ReadFrom(src io.Reader) (int64, error) {
	r.from = append(r.from, src)
	return io.Copy(io.Discard, src)
}

// While plenty is left, the file must get what os.File needs for splice: the source itself, in one LimitedReader.
// Near the limit nothing may be reserved that has not arrived.
func TestReadAhead(t *testing.T) {
	s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Bytes: 10 << 30}, "bob": {Bytes: 50 << 20}})
	for _, user := range []string{"alice", "bob", "carol"} {
		v := s.login(user, user)
		u, err := v.Create("/f", storage.CreateOptions{})
		must(t, err)
		to := &recorder{Upload: u.(*upload).Upload}
		u.(*upload).Upload = to
		src := &slowReader{data: make([]byte, 9<<20), check: func(n int) {
			s.mu.Lock()
			defer s.mu.Unlock()
			limit := s.limits[user].Bytes
			if a := s.accounts[user]; a != nil && a.reserved.bytes > int64(n)+max(exact, (limit-int64(n))/headroom) {
				t.Fatalf("%s: %d bytes are reserved when %d have come", user, a.reserved.bytes, n)
			}
		}}
		n, err := io.CopyN(u.Writer(), src, 8<<20)
		if n != 8<<20 || err != nil {
			t.Errorf("%s: copied %d (%v)", user, n, err)
		}
		for _, from := range to.from {
			if l, ok := from.(*io.LimitedReader); !ok || l.R != io.Reader(src) {
				t.Errorf("%s: read from a %T", user, from)
			}
		}
		if whole := len(to.from) == 2; whole != (user != "bob") {
			t.Errorf("%s: %d reads", user, len(to.from))
		}
		if n, err := io.CopyN(u.Writer(), src, 8<<20); n != 1<<20 || !errors.Is(err, io.EOF) {
			t.Errorf("%s: copied %d (%v) at the end", user, n, err)
		}
		must(t, u.Abort())
	}
	s.wantCount("alice")
	s.wantCount("bob")
}
