package storage

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// keepsOrder reports whether the directory is on a file system of which this holds: once the data of a file were
// written out (see writeOut), a change that is made in the directory after that survives a crash only together with
// the data. Then one fsync of the directory is enough. It holds for ext4 with a journal on the same device, in the
// mode data=ordered:
//
//   - Writing out allocates the blocks and sets the size in transactions of the journal that had begun before the
//     writing ended. The later change is in the same transaction or in a later one, and the journal is replayed in order.
//   - The data themselves have been given to the disk. The commit of a transaction first makes the disk empty its cache,
//     which is the same disk's: so they are there before the commit is.
//   - The fsync of a directory commits the transaction of the last change in it.
//
// With a journal on another device, or fast commits, one of the three is not sure; without a journal none of them holds.
// Other file systems are not asked: what can't be told is synced by two fsyncs. It is a variable for tests.
//
// Sources: https://docs.kernel.org/filesystems/ext4/journal.html, and of Linux fs/ext4/fsync.c, fs/ext4/page-io.c,
// fs/jbd2/commit.c. The crash test in test/crash tries it.
var keepsOrder = func(dir *os.File, device uint64) bool {
	if !writesAll() {
		return false
	}
	conn, err := dir.SyscallConn()
	if err != nil {
		return false
	}
	var st unix.Statfs_t
	failed := err
	err = conn.Control(func(fd uintptr) { failed = unix.Fstatfs(int(fd), &st) }) //nolint:gosec // a descriptor
	if err != nil || failed != nil || st.Type != unix.EXT4_SUPER_MAGIC {
		return false
	}
	volume := volumeID{device, st.Fsid}
	if known, found := journaled.Load(volume); found {
		return known.(bool)
	}
	ordered := ordersData(os.DirFS("/"), device)
	journaled.Store(volume, ordered)
	return ordered
}

// volumeID tells a mounted file system from all others, and from one that has the same device later.
type volumeID struct {
	device uint64
	fsid   unix.Fsid
}

// journaled remembers for each volumeID on ext4 what ordersData says. No remount can change that.
var journaled sync.Map

// ordersData reports whether an ext4 file system has a journal on its own device, is in the mode data=ordered, and
// makes no fast commits. It looks at what the kernel tells any process below root, which is "/": /proc/fs is readable
// in containers, too. (The mount table does not help: it shows only those options that are not the default.)
func ordersData(root fs.FS, device uint64) bool {
	number := strconv.FormatUint(uint64(unix.Major(device)), 10) + ":" + strconv.FormatUint(uint64(unix.Minor(device)), 10)
	link, err := fs.ReadLink(root, "sys/dev/block/"+number)
	if err != nil {
		return false
	}
	name := filepath.Base(link)
	// The journal of the file system itself has the inode 8; one on another device is listed under that device.
	if _, err := fs.Stat(root, "proc/fs/jbd2/"+name+"-8"); err != nil {
		return false
	}
	options, err := fs.ReadFile(root, "proc/fs/ext4/"+name+"/options")
	if err != nil {
		return false
	}
	ordered := false
	for option := range strings.Lines(string(options)) {
		switch option = strings.TrimSpace(option); {
		case option == "data=ordered":
			ordered = true
		case strings.HasPrefix(option, "fc_"), option == "fast_commit": // as Linux 6.18 shows it
			return false
		}
	}
	return ordered
}

// writesAll reports whether sync_file_range with all of its flags writes all pages. It does since Linux 5.2; before
// that it could leave some out.
var writesAll = sync.OnceValue(func() bool {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return false
	}
	return atLeast(unix.ByteSliceToString(name.Release[:]), 5, 2)
})

// atLeast reports whether a release of Linux, such as "6.1.0-18-amd64", is that one or a later one.
func atLeast(release string, major, minor int) bool {
	first, rest, _ := strings.Cut(release, ".")
	second := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	a, err := strconv.Atoi(first)
	b, failed := strconv.Atoi(second)
	return err == nil && failed == nil && (a > major || a == major && b >= minor)
}

// writeOut writes the data of a file out to the disk, and waits until the disk has taken them, in its cache at least.
// Blocks are allocated, and an error of the disk or a lack of space shows, but nothing is durable yet. It is a variable
// so that tests can count the calls and make them fail.
var writeOut = func(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	failed := err
	const all = unix.SYNC_FILE_RANGE_WAIT_BEFORE | unix.SYNC_FILE_RANGE_WRITE | unix.SYNC_FILE_RANGE_WAIT_AFTER
	err = conn.Control(func(fd uintptr) {
		for {
			failed = unix.SyncFileRange(int(fd), 0, 0, all) //nolint:gosec // a descriptor
			if !errors.Is(failed, syscall.EINTR) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	if errors.Is(failed, syscall.ENOSYS) || errors.Is(failed, syscall.EPERM) { // a filter of system calls
		return syncFile(f)
	}
	return os.NewSyscallError("sync_file_range", failed)
}
