package storage

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/internal/reserved"
)

// tree is the model of a home: the content of each path; the content of a directory is dirMark.
type tree map[string]string

const dirMark = "\x00dir"

func (m tree) isDir(name string) bool  { return name == "/" || m[name] == dirMark }
func (m tree) exists(name string) bool { _, found := m[name]; return found || name == "/" }

// below lists what is in a directory, at any depth.
func (m tree) below(dir string) []string {
	var all []string
	for name := range m {
		if strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/") {
			all = append(all, name)
		}
	}
	return all
}

// place returns the kind of error that the parents of name cause when name is created.
func (m tree) place(name string) (Kind, bool) {
	for dir := path.Dir(name); dir != "/"; dir = path.Dir(dir) {
		if m.exists(dir) && !m.isDir(dir) {
			return KindNotDirectory, false
		}
	}
	if !m.isDir(path.Dir(name)) {
		return KindNotExist, false
	}
	return 0, true
}

// The view must behave like a plain map of paths, whatever the order of operations, with several uploads at a time
// that end in any way.
func TestViewAgainstModel(t *testing.T) {
	base := t.TempDir()
	l, err := NewLocal(base)
	must(t, err)
	defer l.Close() //nolint:errcheck // a test's
	rapid.Check(t, func(t *rapid.T) {
		home, err := os.MkdirTemp(base, "") //nolint:usetesting // one for each of many runs
		if err != nil {
			t.Fatal(err)
		}
		v, err := l.Home(filepath.Base(home), false)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := errors.Join(v.Close(), os.RemoveAll(home)); err != nil {
				t.Fatal(err)
			}
		}()
		m := tree{}
		name := rapid.SampledFrom([]string{"/a", "/b", "/a/a", "/a/b", "/b/a", "/a/b/c"})
		want := func(what string, err error, kind Kind, ok bool) {
			if (err == nil) != ok || err != nil && Classify(err) != kind {
				t.Fatalf("%s: %v (kind %d), the model says ok %v, kind %d", what, err, Classify(err), ok, kind)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"upload": func(t *rapid.T) {
				n, data := name.Draw(t, "name"), rapid.StringMatching(`[a-z]{0,5}`).Draw(t, "data")
				o := CreateOptions{
					Offset:    rapid.SampledFrom([]int64{0, 0, 0, 1, 4}).Draw(t, "offset"),
					Append:    rapid.Bool().Draw(t, "append"),
					Exclusive: rapid.IntRange(0, 4).Draw(t, "exclusive") == 0,
				}
				u, err := v.Create(n, o)
				kind, ok := m.place(n)
				switch {
				case !ok && kind == KindNotExist && o.Offset > 0 && !o.Append:
					kind = KindOffset // the file does not exist, so every offset is beyond its end
				case !ok:
				case m.exists(n) && o.Exclusive:
					kind, ok = KindExist, false
				case m.isDir(n):
					kind, ok = KindIsDirectory, false
				case !o.Append && o.Offset > int64(len(m[n])):
					kind, ok = KindOffset, false
				}
				want("create "+n, err, kind, ok)
				if !ok {
					return
				}
				if _, err := io.WriteString(u.Writer(), data); err != nil {
					t.Fatal(err)
				}
				result := data
				switch {
				case o.Append:
					result = m[n] + data
				case o.Offset > 0:
					result = m[n][:o.Offset] + data
				}
				switch rapid.SampledFrom([]string{"commit", "commit", "keep", "abort"}).Draw(t, "end") {
				case "abort":
					want("abort", u.Abort(), 0, true)
					return
				case "keep":
					want("keep", u.Keep(), 0, true)
					if data != "" {
						m[n] = result
					}
					return
				}
				want("commit "+n, u.Commit(), 0, true)
				m[n] = result
			},
			"mkdir": func(t *rapid.T) {
				n := name.Draw(t, "name")
				kind, ok := m.place(n)
				if ok && m.exists(n) {
					kind, ok = KindExist, false
				}
				want("mkdir "+n, v.Mkdir(n), kind, ok)
				if ok {
					m[n] = dirMark
				}
			},
			"remove": func(t *rapid.T) {
				n := name.Draw(t, "name")
				kind, ok := m.place(n)
				switch {
				case !ok:
				case !m.exists(n):
					kind, ok = KindNotExist, false
				case m.isDir(n):
					kind, ok = KindIsDirectory, false
				}
				want("remove "+n, v.Remove(n), kind, ok)
				if ok {
					delete(m, n)
				}
			},
			"rmdir": func(t *rapid.T) {
				n := name.Draw(t, "name")
				kind, ok := m.place(n)
				switch {
				case !ok:
				case !m.exists(n):
					kind, ok = KindNotExist, false
				case !m.isDir(n):
					kind, ok = KindNotDirectory, false
				case len(m.below(n)) > 0:
					kind, ok = KindNotEmpty, false
				}
				want("rmdir "+n, v.Rmdir(n), kind, ok)
				if ok {
					delete(m, n)
				}
			},
			"rename": func(t *rapid.T) {
				from, to := name.Draw(t, "from"), name.Draw(t, "to")
				_, fromOK := m.place(from)
				_, toOK := m.place(to)
				ok := fromOK && toOK && m.exists(from) && !strings.HasPrefix(to, from+"/") && (!m.isDir(to) || from == to)
				if ok && m.isDir(from) && m.exists(to) && from != to {
					ok = false // a directory over a file
				}
				rename := v.Rename
				if rapid.Bool().Draw(t, "new") {
					rename, ok = v.RenameNew, ok && !m.exists(to)
				}
				err := rename(from, to)
				if from == to && ok && m.isDir(from) {
					return // either is fine
				}
				if (err == nil) != ok {
					t.Fatalf("rename %s to %s: %v, the model says ok %v", from, to, err, ok)
				}
				if !ok || from == to {
					return
				}
				moved := map[string]string{to: m[from]}
				for _, n := range m.below(from) {
					moved[to+strings.TrimPrefix(n, from)] = m[n]
					delete(m, n)
				}
				delete(m, from)
				maps.Copy(m, moved)
			},
			"combine": func(t *rapid.T) {
				n, parts := name.Draw(t, "target"), rapid.SliceOfN(name, 1, 3).Draw(t, "parts")
				sum, ok := m[n], true
				if _, placed := m.place(n); !placed || m.isDir(n) {
					ok = false
				}
				for i, part := range parts {
					if part == n || slices.Contains(parts[:i], part) || !m.exists(part) || m.isDir(part) {
						ok = false
					}
					sum += m[part]
				}
				if err := Combine(context.Background(), v, n, parts); (err == nil) != ok {
					t.Fatalf("combine %q to %s: %v, the model says ok %v", parts, n, err, ok)
				}
				if ok {
					m[n] = sum
					for _, part := range parts {
						delete(m, part)
					}
				}
			},
			"": func(t *rapid.T) {
				if got := walk(t, v, "/"); !maps.Equal(got, m) {
					t.Fatalf("the home holds %q, the model %q", got, m)
				}
				for _, n := range onDiskBelow(t, home) {
					if strings.Contains(n, reserved.Prefix) {
						t.Fatalf("left behind: %s", n)
					}
				}
			},
		})
	})
}

// walk reads a whole home through the view.
func walk(t *rapid.T, v FS, top string) tree {
	m := tree{}
	d, err := v.ReadDir(top)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close() //nolint:errcheck // a test's
	for {
		info, err := d.Next()
		if errors.Is(err, io.EOF) {
			return m
		}
		if err != nil {
			t.Fatal(err)
		}
		n := path.Join(top, info.Name())
		if info.IsDir() {
			m[n] = dirMark
			maps.Copy(m, walk(t, v, n))
			continue
		}
		f, err := v.Open(n)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(f)
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		m[n] = string(data)
	}
}

func onDiskBelow(t *rapid.T, dir string) []string {
	var all []string
	if err := filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		all = append(all, p)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(all)
}
