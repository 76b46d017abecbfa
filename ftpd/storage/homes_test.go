package storage

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// The views of a home must share one descriptor for as long as the home is the same directory.
func TestHomesAreShared(t *testing.T) {
	dir := t.TempDir()
	l, err := NewLocal(dir)
	must(t, err)
	open := func() *view {
		t.Helper()
		v, err := l.Home("alice", true)
		must(t, err)
		return v.(*view)
	}
	first, second := open(), open()
	if first.root != second.root {
		t.Error("two views of one home have two descriptors")
	}
	must(t, first.Close(), first.Close())
	must(t, second.Mkdir("/still-there"))

	must(t, os.Rename(filepath.Join(dir, "alice"), filepath.Join(dir, "gone")))
	third := open()
	if third.root == second.root {
		t.Error("a home that was made anew is still the old one")
	}
	if _, err := third.Stat("/still-there"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	must(t, second.Close(), third.Close())
	if len(l.homes.open) != 0 {
		t.Errorf("left open: %v", l.homes.open)
	}
	must(t, l.Close())
}
