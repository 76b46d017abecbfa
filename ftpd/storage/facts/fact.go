//go:build linux

package facts

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// settled is the time since the last change of a file's inode after which its facts are kept. A file that is written in
// a way which raises no events is thus seen while that goes on.
const settled = 2 * time.Second

// fact is what is kept of an entry: the part of struct stat that listings and quotas need, in less memory. Facts can be
// compared.
type fact struct {
	name         string // ended by a zero byte, as the kernel wants it
	ino, dev     uint64
	size         int64
	mtime, ctime unix.Timespec
	mode, nlink  uint32
	uid, gid     uint32
	covered      bool // something is mounted on the entry
}

// factSize is the memory that a fact takes, without its name.
const factSize = int64(unsafe.Sizeof(fact{}))

// factOf returns the fact of an entry. name ends with a zero byte.
func factOf(name string, st *unix.Stat_t, covered bool) fact {
	return fact{
		name: name, ino: st.Ino, dev: uint64(st.Dev), size: st.Size, mtime: st.Mtim, ctime: st.Ctim, //nolint:unconvert // of another type on other architectures
		mode: st.Mode, nlink: uint32(st.Nlink), uid: st.Uid, gid: st.Gid, //nolint:gosec,unconvert // file systems have fewer links
		covered: covered,
	}
}

// base returns the name as it is.
func (f *fact) base() string { return f.name[:len(f.name)-1] }

func (f *fact) isLink() bool { return f.mode&unix.S_IFMT == unix.S_IFLNK }

// unreported reports whether the facts may change without an event in the directory.
func (f *fact) unreported(now time.Time) bool {
	kind := f.mode & unix.S_IFMT
	return kind != unix.S_IFREG && kind != unix.S_IFLNK || f.nlink != 1 || f.covered || now.Sub(time.Unix(f.ctime.Unix())) < settled
}

// fill writes the fact into i.
func (f *fact) fill(i *Info) {
	i.Base, i.Err = f.base(), nil
	st := &i.Stat
	st.Ino, st.Size, st.Mode, st.Uid, st.Gid, st.Mtim, st.Ctim = f.ino, f.size, f.mode, f.uid, f.gid, f.mtime, f.ctime
	put(&st.Dev, f.dev)
	put(&st.Nlink, uint64(f.nlink))
}

// put sets a number whose type depends on the architecture.
func put[T uint32 | uint64](to *T, n uint64) { *to = T(n) }
