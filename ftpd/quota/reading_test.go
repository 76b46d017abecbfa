package quota

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// A file without a name must count until its last download has ended.
func TestUnnamedCounts(t *testing.T) {
	const limit = 20
	for _, how := range []string{"remove", "replace", "rename over", "combine"} {
		t.Run(how, func(t *testing.T) {
			s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Bytes: limit}})
			v := s.login("alice", "alice")
			must(t, store(v, "/x", strings.Repeat("x", 12), storage.CreateOptions{}))
			downloads := make([]storage.File, 2)
			for i := range downloads {
				var err error
				downloads[i], err = v.Open("/x")
				must(t, err)
				if _, ok := storage.OSFile(downloads[i]); !ok {
					t.Error("no file for sendfile")
				}
			}
			switch how {
			case "remove":
				must(t, v.Remove("/x"))
			case "replace":
				must(t, store(v, "/x", "", storage.CreateOptions{}))
			case "rename over":
				must(t, store(v, "/y", "", storage.CreateOptions{}), v.Rename("/y", "/x"))
			case "combine":
				must(t, storage.Combine(t.Context(), v, "/y", []string{"/x"}), store(v, "/y", "", storage.CreateOptions{}))
			}
			for i, f := range downloads {
				wantErr(t, fmt.Sprintf("with %d downloads", len(downloads)-i), store(v, "/z", strings.Repeat("z", 9), storage.CreateOptions{}), storage.ErrQuota)
				got, err := io.ReadAll(f)
				must(t, err)
				if string(got) != strings.Repeat("x", 12) {
					t.Errorf("read %q", got)
				}
				must(t, f.Close())
			}
			must(t, store(v, "/z", strings.Repeat("z", 20), storage.CreateOptions{}))
			s.wantCount("alice")
		})
	}
}

// A file that loses a name while it is open, and has another name elsewhere, must not be reserved. (A file that another
// program removes is not noticed at all.)
func TestNamedElsewhere(t *testing.T) {
	s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Bytes: 20}})
	v := s.login("alice", "alice")
	must(t, store(v, "/x", strings.Repeat("x", 12), storage.CreateOptions{}))
	must(t, os.Link(filepath.Join(s.root, "alice/x"), filepath.Join(s.root, "elsewhere")))
	f, err := v.Open("/x")
	must(t, err)
	must(t, v.Remove("/x"), store(v, "/z", strings.Repeat("z", 20), storage.CreateOptions{}), f.Close())
	s.wantCount("alice")
}

// Setting times and modes (MFMT, MFF) must not change what is counted, also while the file is appended to or
// replaced.
func TestTimesAndModesCountNothing(t *testing.T) {
	s := newServer(t, t.TempDir(), map[string]Limit{"alice": {Bytes: 20, Files: 2}})
	v := s.login("alice", "alice")
	set := func() {
		t.Helper()
		for _, year := range []int{1970, 2038, 2106} {
			must(t, v.SetModTime("/x", time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)), v.Chmod("/x", 0o640))
		}
	}
	must(t, store(v, "/x", strings.Repeat("x", 10), storage.CreateOptions{}))
	set()
	s.wantCount("alice")
	for _, o := range []storage.CreateOptions{{Append: true}, {Offset: 5}, {}} {
		u, err := begin(v, "/x", 5, o)
		must(t, err)
		set()
		wantErr(t, "more than the quota meanwhile", store(v, "/y", strings.Repeat("y", 11), storage.CreateOptions{}), storage.ErrQuota)
		must(t, u.Commit())
		set()
		s.wantCount("alice")
		must(t, store(v, "/x", strings.Repeat("x", 10), storage.CreateOptions{}))
	}
}
