//go:build linux

package facts

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// filled makes folders with files, and returns their paths.
func filled(t *testing.T, dirs, files int) (paths []string) {
	t.Helper()
	dir := folder(t)
	for d := range dirs {
		p := filepath.Join(dir, strconv.Itoa(d))
		must(t, os.Mkdir(p, 0o700))
		for f := range files {
			write(t, f, p, fmt.Sprint("file-", f))
		}
		paths = append(paths, p)
	}
	return paths
}

// descriptors returns what the process has open for caches.
func descriptors(t *testing.T) (open []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && (strings.Contains(to, "inotify") || strings.Contains(to, "mountinfo")) {
			open = append(open, to)
		}
	}
	return open
}

// holdsNothing fails if a cache, the only one that may be in use, holds anything.
func holdsNothing(t *testing.T, c *Cache) {
	t.Helper()
	if used := c.account.used.Load(); used != 0 {
		t.Errorf("%d bytes are held", used)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept)+len(c.watches) > 0 || c.watcher != nil || c.timer != nil {
		t.Errorf("%d directories, a watcher %v, a timer %v", len(c.kept), c.watcher != nil, c.timer != nil)
	}
}

// A directory that no session lists is given back, and a closed cache holds nothing. (Not parallel, for its look at the descriptors.)
func TestEverythingIsGivenBack(t *testing.T) { //nolint:paralleltest // see above
	before := descriptors(t)
	for _, way := range []string{"unused", "closed"} {
		c, ahead := newCache(t)
		for _, d := range filled(t, 3, 20) {
			hot(t, c, d)
			s := open(t, c, d)
			s.pages[0].Keep("text", make([]byte, 100), time.Time{}, time.Now())
			write(t, 7, d, "changed")
			isTrue(t, c, d)
		}
		if len(descriptors(t)) == len(before) || c.account.used.Load() == 0 {
			t.Error("nothing is held, so this proves nothing")
		}
		if way == "unused" {
			c.expire()
			if c.keeps() != 3 {
				t.Error("what is in use was dropped")
			}
			ahead.move(MaxAge)
			c.expire()
		} else {
			c.Close()
		}
		holdsNothing(t, c)
		if now := descriptors(t); !slices.Equal(now, before) {
			t.Errorf("%s: open are %q, and were %q", way, now, before)
		}
		if way == "closed" && open(t, c, filled(t, 1, 1)[0]) != nil {
			t.Error("a closed cache keeps something")
		}
	}
}

// No more directories are watched than are allowed: one that was not listed for a moment gives way.
func TestWatchesAreBounded(t *testing.T) {
	t.Parallel()
	c, ahead := newCache(t)
	c.most = 2
	dirs := filled(t, 3, 3)
	stopped := time.Now() // so that no time passes but what the test has pass
	c.now = func() time.Time { return stopped.Add(time.Duration(ahead.ahead.Load())) }
	hot(t, c, dirs[0])
	hot(t, c, dirs[1])
	for range 2 {
		if open(t, c, dirs[2]) != nil || c.keeps() != 2 {
			t.Error("a directory in use gave way")
		}
	}
	ahead.move(inUse)
	isTrue(t, c, dirs[1])
	ahead.move(MaxAge - inUse) // dirs[2] may be tried again; dirs[0] was not listed for longer
	if open(t, c, dirs[2]); open(t, c, dirs[2]) == nil || c.keeps() != 2 {
		t.Error("the directory that was used least recently did not give way")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.watches) != 2 {
		t.Errorf("%d watches", len(c.watches))
	}
}

// What a listing still reads counts, although the cache has another snapshot, or none.
func TestMemoryOfSlowListings(t *testing.T) {
	t.Parallel()
	c, ahead := newCache(t)
	dir := filled(t, 1, 20)[0]
	hot(t, c, dir)
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(fd) //nolint:errcheck // it was only read
	var slow []*Snapshot
	one := c.account.used.Load()
	for i := range 5 {
		slow = append(slow, c.Open(uintptr(fd), readAll(c, fd)))
		write(t, 100+i, dir, "file-0")
		isTrue(t, c, dir)
	}
	if used := c.account.used.Load(); used != 6*one {
		t.Errorf("%d bytes are used, of which one snapshot takes %d", used, one)
	}
	c.account.most = 6*one + 10
	if write(t, 1, dir, "file-0"); open(t, c, dir) != nil {
		t.Error("there is memory for one more")
	}
	ahead.move(MaxAge)
	c.expire()
	for _, s := range slow {
		s.Release()
	}
	holdsNothing(t, c)
}

// A directory that is too large is not kept, and not tried again at once. What was taken for it is given back.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	c, ahead := newCache(t)
	c.account.most = 3000
	dirs := filled(t, 2, 20)
	small := filled(t, 1, 5)[0]
	hot(t, c, small)
	for range 2 {
		if open(t, c, dirs[0]) != nil {
			t.Fatal("there is memory for 20 names")
		}
	}
	isTrue(t, c, small)
	if c.keeps() != 1 {
		t.Errorf("%d directories are kept", c.keeps())
	}
	s, used := open(t, c, small), c.account.used.Load()
	for i := range 100 {
		for _, p := range s.pages {
			if p != nil {
				p.Keep(i, make([]byte, 500), time.Time{}, time.Now())
			}
		}
	}
	if now := c.account.used.Load(); now <= used || now > c.account.most {
		t.Errorf("%d bytes of %d are used, after %d", now, c.account.most, used)
	}
	ahead.move(MaxAge)
	c.expire()
	holdsNothing(t, c)
}

// A directory that can't be read soon is not kept, and what was read of it is given back: its session waits.
func TestSlowDirectories(t *testing.T) {
	t.Parallel()
	c, ahead := newCache(t)
	c.patient = patience
	dir := filled(t, 1, 2*pageEntries)[0]
	open(t, c, dir)
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(fd) //nolint:errcheck // it was only read
	read := 0
	slow := func(add AddFunc) error {
		return readAll(c, fd)(func(name string, ino uint64, st *unix.Stat_t) error {
			read++
			ahead.move(patience / (pageEntries - 1))
			return add(name, ino, st)
		})
	}
	if c.Open(uintptr(fd), slow) != nil || read != pageEntries+1 || c.account.used.Load() != 0 {
		t.Errorf("%d entries were read, %d bytes are held", read, c.account.used.Load())
	}

	// Looking at what has changed may take too long, too.
	ahead.move(MaxAge)
	hot(t, c, dir)
	for i := range 20 {
		write(t, 3, dir, fmt.Sprint("file-", i))
	}
	looked := 0
	stat := c.stat
	c.stat = func(dir uintptr, name *byte, st *unix.Stat_t) syscall.Errno {
		looked++
		ahead.move(patience / 4)
		return stat(dir, name, st)
	}
	if open(t, c, dir) != nil || looked > 6 || c.keeps() != 0 {
		t.Errorf("%d entries were looked at, %d directories are kept", looked, c.keeps())
	}
	c.stat = stat
	if open(t, c, dir) != nil {
		t.Error("it is tried again at once")
	}
	if used := c.account.used.Load(); used != 0 {
		t.Errorf("%d bytes are held", used)
	}
}

// Events that come as fast as they are read don't hold up a listing: from some number on, nothing is believed any more.
func TestEventsWithoutEnd(t *testing.T) {
	t.Parallel()
	c, _ := newCache(t)
	c.learned = 10
	dir := filled(t, 1, 20)[0]
	for i, kept := range map[int]int{5: 1, 10: 0} {
		open(t, c, dir)
		isTrue(t, c, dir)
		for n := range i {
			must(t, os.Chmod(filepath.Join(dir, fmt.Sprint("file-", n%2)), 0o640+os.FileMode(n)))
		}
		c.mu.Lock()
		c.learn()
		if len(c.kept) != kept {
			t.Errorf("%d directories are kept after %d events", len(c.kept), i)
		}
		c.mu.Unlock()
	}
}

// When the kernel had to drop events, nothing is believed any more.
func TestOverflow(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	must(t, err)
	most, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(t, err)
	if most > 1<<16 {
		t.Skipf("NOT TESTED: the queue holds %d events", most)
	}
	c, _ := newCache(t)
	dirs := filled(t, 2, 20)
	hot(t, c, dirs[0])
	hot(t, c, dirs[1])
	for i := range most + 10 {
		must(t, os.Chmod(filepath.Join(dirs[0], fmt.Sprint("file-", i%2)), os.FileMode(0o600+i%50)))
	}
	write(t, 77, dirs[1], "file-3") // this event was lost
	for _, d := range dirs {
		open(t, c, d) // it may have taken so long that the directory is not hot
		isTrue(t, c, d)
		isTrue(t, c, d)
	}
}

// changing returns a function that opens a directory, with a change of it after it was read.
func changing(t *testing.T, c *Cache, dir string) func(change func()) *Snapshot {
	t.Helper()
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	must(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	return func(change func()) *Snapshot {
		_, err := unix.Seek(fd, 0, 0)
		must(t, err)
		s := c.Open(uintptr(fd), func(add AddFunc) error {
			err := readAll(c, fd)(add)
			change()
			return err
		})
		if s != nil {
			t.Cleanup(s.Release)
		}
		return s
	}
}

// If a name changes while a directory is read, the result is not kept; if a file changes, the next listing shows it.
func TestChangesDuringReading(t *testing.T) {
	t.Parallel()
	c, _ := newCache(t)
	dir := filled(t, 1, 20)[0]
	during := changing(t, c, dir)
	open(t, c, dir)
	if during(func() { write(t, 1, dir, "new") }) == nil {
		t.Error("what was read is not used")
	}
	if during(func() { write(t, 99, dir, "file-0") }) == nil {
		t.Error("what was read again is not used")
	}
	if c.Served() > 0 {
		t.Error("a directory was kept whose names changed while it was read")
	}
	isTrue(t, c, dir)
	if c.Served() != 1 {
		t.Error("the directory was read again")
	}
}

// A directory whose names change each time that it is read is not kept for a while, so that sessions need not read it one
// after the other.
func TestNamesThatNeverRest(t *testing.T) {
	t.Parallel()
	c, _ := newCache(t)
	dir := filled(t, 1, 200)[0]
	during := changing(t, c, dir)
	open(t, c, dir)
	read := 0
	for range 4 {
		during(func() {
			read++
			write(t, 1, dir, fmt.Sprint("new-", read))
		})
	}
	if read != 2 || c.keeps() != 0 {
		t.Errorf("it was read %d times in vain, and %d directories are kept", read, c.keeps())
	}
}

// Directories in which much changes without events, or with many, are read anew.
func TestMuchChange(t *testing.T) {
	t.Parallel()
	c, ahead := newCache(t)
	dir := filled(t, 1, 200)[0]
	hot(t, c, dir)
	for i := range 190 {
		write(t, 3, dir, fmt.Sprint("file-", i))
	}
	before := c.Served()
	if isTrue(t, c, dir); c.Served() != before {
		t.Error("190 of 200 files were looked at one by one")
	}
	isTrue(t, c, dir)
	ahead.set(-time.Hour) // the files have not settled
	other := filled(t, 1, 200)[0]
	open(t, c, other)
	if s := open(t, c, other); s == nil || !same(t, contents(t, s), onDisk(t, other)) {
		t.Error("the directory was read in vain")
	}
	if c.keeps() != 1 {
		t.Error("a directory is kept of which every entry has to be looked at")
	}
}

// Files that were changed a moment ago are looked at by each listing, even if no event comes.
func TestUnsettledFiles(t *testing.T) {
	t.Parallel()
	c, ahead := newCache(t)
	dirs := filled(t, 2, 10)
	dir := dirs[0]
	ahead.set(-time.Hour)
	hot(t, c, dir)
	must(t, os.Link(filepath.Join(dir, "file-1"), filepath.Join(dirs[1], "elsewhere"))) // raises no event
	isTrue(t, c, dir)
}

// What changes without an event in the directory is looked at by each listing.
func TestUnreported(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	old := unix.NsecToTimespec(now.Add(-settled).UnixNano())
	for want, all := range map[bool][]fact{
		false: {{mode: unix.S_IFREG, nlink: 1, ctime: old}, {mode: unix.S_IFLNK, nlink: 1, ctime: old}},
		true: {
			{mode: unix.S_IFDIR, nlink: 1, ctime: old}, // as on btrfs
			{mode: unix.S_IFDIR, nlink: 2, ctime: old},
			{mode: unix.S_IFIFO, nlink: 1, ctime: old},
			{mode: unix.S_IFSOCK, nlink: 1, ctime: old},
			{mode: unix.S_IFREG, nlink: 2, ctime: old},
			{mode: unix.S_IFREG, nlink: 0, ctime: old},
			{mode: unix.S_IFREG, nlink: 1, ctime: old, covered: true},
			{mode: unix.S_IFREG, nlink: 1, ctime: unix.NsecToTimespec(now.Add(-settled + 1).UnixNano())},
			{mode: unix.S_IFREG, nlink: 1, ctime: unix.NsecToTimespec(now.Add(time.Hour).UnixNano())}, // the clock was set back
		},
	} {
		for _, f := range all {
			if f.unreported(now) != want {
				t.Errorf("%+v: %v", f, !want)
			}
		}
	}
}

// Only file systems of which every change is reported are trusted.
func TestLocal(t *testing.T) {
	t.Parallel()
	for magic, want := range map[int64]bool{
		unix.EXT4_SUPER_MAGIC: true, unix.XFS_SUPER_MAGIC: true, unix.BTRFS_SUPER_MAGIC: true, unix.TMPFS_MAGIC: true,
		int64(int32(-1859950530)): true, // BTRFS_SUPER_MAGIC where the type has 32 bits
		unix.NFS_SUPER_MAGIC:      false, unix.CEPH_SUPER_MAGIC: false, unix.FUSE_SUPER_MAGIC: false, unix.OVERLAYFS_SUPER_MAGIC: false,
		unix.V9FS_MAGIC: false, unix.SMB2_SUPER_MAGIC: false, unix.PROC_SUPER_MAGIC: false, unix.AFS_SUPER_MAGIC: false, 0: false, 0x12345678: false,
	} {
		if IsLocal(magic) != want {
			t.Errorf("IsLocal(%#x) is %v", magic, !want)
		}
	}
	if !exact(0x80000) || exact(0x80000|flagCasefold) || exact(flagEncrypted) { // 0x80000: extents
		t.Error("flags of directories are misread")
	}
	c, _ := newCache(t)
	for range 3 {
		if open(t, c, "/proc") != nil {
			t.Error("/proc is kept")
		}
	}
}
