package storage

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"
)

// Only ext4 with a journal of its own, in the mode data=ordered and without fast commits, may be synced once. What the
// kernel shows is what Linux 6.18 shows.
func TestOrdersData(t *testing.T) {
	const options = "rw\nbsddf\ndelalloc\nbarrier\nauto_da_alloc\ncommit=5\ndata=ordered\ninode_readahead_blks=32\n"
	for _, c := range []struct {
		what string
		edit func(fstest.MapFS)
		want bool
	}{
		{"ordered", func(fstest.MapFS) {}, true},
		{"without barriers, as the administrator chose", edit("barrier", "nobarrier"), true},
		{"writeback", edit("ordered", "writeback"), false},
		{"journaled data", edit("ordered", "journal"), false},
		{"no journal", edit("data=ordered\n", ""), false},
		{"fast commits", edit("commit=5", "fc_debug_force\ncommit=5"), false},
		{"a journal on another device", func(m fstest.MapFS) {
			delete(m, "proc/fs/jbd2/sda1-8/info")
			m["proc/fs/jbd2/sdb/info"] = &fstest.MapFile{}
		}, false},
		{"no /sys", func(m fstest.MapFS) { delete(m, "sys/dev/block/8:1") }, false},
		{"no /proc/fs", func(m fstest.MapFS) { delete(m, "proc/fs/ext4/sda1/options") }, false},
	} {
		m := fstest.MapFS{
			"sys/dev/block/8:1":         &fstest.MapFile{Data: []byte("../../devices/pci0000:00/0000:00:05.0/block/sda/sda1"), Mode: fs.ModeSymlink},
			"proc/fs/ext4/sda1/options": &fstest.MapFile{Data: []byte(options)},
			"proc/fs/jbd2/sda1-8/info":  &fstest.MapFile{},
		}
		c.edit(m)
		if got := ordersData(m, unix.Mkdev(8, 1)); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}

// edit replaces a text in the options.
func edit(before, after string) func(fstest.MapFS) {
	return func(m fstest.MapFS) {
		f := m["proc/fs/ext4/sda1/options"]
		f.Data = []byte(strings.Replace(string(f.Data), before, after, 1))
	}
}

func TestAtLeast(t *testing.T) {
	for release, want := range map[string]bool{
		"6.1.0-18-amd64": true, "5.2.0": true, "5.2": true, "5.10.234-225.910.amzn2.x86_64": true, "6.18.44-fc": true, "10.0-rc1": true,
		"4.18.0-553.el8_10.x86_64": false, "5.1.21": false, "4.4.0": false, "": false, "5": false, "five.two": false, "5.x": false,
	} {
		if got := atLeast(release, 5, 2); got != want {
			t.Errorf("%q: %v, want %v", release, got, want)
		}
	}
}
