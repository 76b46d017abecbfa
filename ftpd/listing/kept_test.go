package listing

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"github.com/ftp-operator/ftp-operator/ftpd/auth"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// home returns a view of a new home with n files, which have settled.
func home(b *testing.B, n int) (view storage.FS, closeCache func()) {
	b.Helper()
	dir := b.TempDir()
	local, err := storage.NewLocal(dir)
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("report-2026-%06d.csv", i)), []byte("x"), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	if view, err = local.Home(".", false); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _, _ = view.Close(), local.Close() })
	return view, func() { _ = local.Close() }
}

// BenchmarkListing measures a whole listing without its connection: read from the disk each time (cold), and from what
// is kept in memory (hot).
func BenchmarkListing(b *testing.B) {
	now := time.Now()
	facts := NewFactWriter(AllFacts, auth.All)
	for _, n := range []int{2000, 20000} {
		view, closeCache := home(b, n)
		time.Sleep(2100 * time.Millisecond) // until the facts of the files may be kept
		for _, state := range []string{"hot", "cold"} {
			if state == "cold" {
				closeCache()
			}
			for verb, format := range map[string]Format{"LIST": Ls{Now: now}, "MLSD": &facts} {
				b.Run(fmt.Sprintf("%s/%d/%s", verb, n, state), func(b *testing.B) {
					w := bufio.NewWriterSize(io.Discard, 64<<10)
					b.ReportAllocs()
					for b.Loop() {
						t := Target{Names: wire.Names{}, Dir: "/"}
						if err := t.Open(view, false); err != nil {
							b.Fatal(err)
						}
						if err := t.WriteLines(view, w, format); err != nil {
							b.Fatal(err)
						}
						t.Close()
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/entry")
				})
			}
		}
	}
}

// lines returns the lines of a listing, sorted.
func written(t *testing.T, view storage.FS, names wire.Names, arg string, f Format) (sorted []string) {
	t.Helper()
	target, err := Locate(view, names, "/", arg, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := target.Open(view, false); err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	var b strings.Builder
	w := bufio.NewWriterSize(&b, 256)
	if err := errors.Join(target.WriteLines(view, w, f), w.Flush()); err != nil {
		t.Fatal(err)
	}
	sorted = strings.SplitAfter(b.String(), "\r\n")
	slices.Sort(sorted)
	return sorted
}

// A listing from memory is the same as one from the disk, whatever user, charset, facts, date and pattern it is for. Texts of
// one are never shown to another.
func TestListingsFromMemory(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	open := func() storage.FS {
		local, err := storage.NewLocal(root)
		if err != nil {
			t.Fatal(err)
		}
		view, err := local.Home(".", false)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = view.Close(), local.Close() })
		return view
	}
	now := time.Now()
	for i := range 25 {
		path := filepath.Join(root, fmt.Sprintf("%s-%d", []string{"plain", "ümläut", "日本", "bad\xff", "line\n"}[i%5], i))
		when := now.Add(-time.Duration(i) * 30 * 24 * time.Hour)
		if err := errors.Join(os.WriteFile(path, make([]byte, i), 0o600), os.Chtimes(path, when, when)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(
		os.Mkdir(filepath.Join(root, "dir"), 0o700), os.Symlink("dir", filepath.Join(root, "to-dir")),
		os.Symlink("plain-0", filepath.Join(root, "to-file")), os.Symlink("/etc", filepath.Join(root, "out")),
	); err != nil {
		t.Fatal(err)
	}
	few, all := NewFactWriter(FactType, auth.All), NewFactWriter(AllFacts, auth.All)
	reader := NewFactWriter(AllFacts, 0)
	formats := map[string]Format{
		"LIST": Ls{Now: now}, "LIST later": Ls{Now: now.Add(100 * 24 * time.Hour)}, "LIST before": Ls{Now: now.Add(-100 * 24 * time.Hour)},
		"MLSD": &all, "MLSD of a type": &few, "MLSD for a reader": &reader,
	}
	charsets := map[string]wire.Names{"UTF-8": {}, "Latin 1": {Charset: charmap.ISO8859_1}}
	memory := open()
	for range 3 {
		_ = written(t, memory, wire.Names{}, "", formats["LIST"])
	}
	for round := range 3 {
		for verb, f := range formats {
			for charset, names := range charsets {
				for _, arg := range []string{"", "*1*"} {
					got, want := written(t, memory, names, arg, f), written(t, open(), names, arg, f)
					if !slices.Equal(got, want) {
						t.Errorf("round %d, %s %q in %s:\n got %q\nwant %q", round, verb, arg, charset, got, want)
					}
				}
			}
		}
		path := filepath.Join(root, fmt.Sprint("plain-", 5*round))
		if err := os.Chmod(path, 0o644); err != nil { //nolint:gosec // a change that is seen
			t.Fatal(err)
		}
	}
}
