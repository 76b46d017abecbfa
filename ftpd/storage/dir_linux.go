package storage

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ftp-operator/ftp-operator/ftpd/storage/facts"
)

const (
	// listBuffer is the size of the buffers for directory entries from the kernel: room for some hundred entries.
	listBuffer = 32 << 10
	// share is the number of entries that one processor describes at a time.
	share = 64
)

// dir is a directory being listed. Describing the entries takes the most time, so dir uses all processors for that,
// and fstatat directly: package os would need twice as much time for each entry.
type dir struct {
	f    *os.File
	name string
	raw  syscall.RawConn
	end  error
	*listed
}

// listed is a batch of entries.
type listed struct {
	buf   []byte // the entries as the kernel returns them
	text  string // the part of buf that the kernel has filled
	at    []int  // for each name, where it begins in buf; a zero byte ends it there
	names []string
	next  int          // index in names of the next entry
	infos []facts.Info // descriptions of names; empty until describe is called
}

var batches = sync.Pool{New: func() any { return &listed{buf: make([]byte, listBuffer)} }}

// The layout of struct linux_dirent64, see getdents64(2).
const (
	direntInode  = 0  // the number of the inode, 8 bytes
	direntLength = 16 // the length of the entry, 2 bytes
	direntName   = 19 // the name
)

// parse finds the names in the first n bytes of buf. All names are parts of one string, which is the only allocation.
func (l *listed) parse(n int) {
	l.text = string(l.buf[:n])
	for begin := 0; begin+direntName < n; {
		length := int(binary.NativeEndian.Uint16(l.buf[begin+direntLength:]))
		if length <= direntName || begin+length > n {
			return // not what the kernel returns
		}
		name, _, _ := strings.Cut(l.text[begin+direntName:begin+length], "\x00")
		if name != "." && name != ".." {
			l.at, l.names = append(l.at, begin+direntName), append(l.names, name)
		}
		begin += length
	}
}

func newDir(f *os.File, name string) *dir {
	raw, err := f.SyscallConn()
	d := &dir{f: f, name: name, raw: raw, end: err, listed: batches.Get().(*listed)}
	d.empty()
	return d
}

// empty clears the batch.
func (l *listed) empty() {
	clear(l.names)
	l.text, l.at, l.names, l.next, l.infos = "", l.at[:0], l.names[:0], 0, l.infos[:0]
}

// NextName returns the next name that is not hidden.
func (d *dir) NextName() (string, error) {
	for {
		for d.next < len(d.names) {
			name := d.names[d.next]
			if d.next++; !hidden(name) {
				return name, nil
			}
		}
		if d.end != nil {
			return "", d.end
		}
		if d.end = d.fill(); d.end != nil && !errors.Is(d.end, io.EOF) {
			d.end = failure("list", d.name, d.end)
		}
	}
}

// fill reads the next names. It returns io.EOF at the end.
func (d *dir) fill() (err error) {
	d.empty()
	n := 0
	failed := d.raw.Control(func(fd uintptr) {
		for {
			if n, err = unix.ReadDirent(int(fd), d.buf); !errors.Is(err, unix.EINTR) {
				return
			}
		}
	})
	switch {
	case failed != nil:
		return failed
	case err != nil:
		return os.NewSyscallError("getdents64", err)
	case n <= 0:
		return io.EOF
	}
	d.parse(n)
	return nil
}

// Next describes the next entry that still exists.
func (d *dir) Next() (fs.FileInfo, error) {
	for {
		if _, err := d.NextName(); err != nil {
			return nil, err
		}
		if len(d.infos) == 0 {
			if err := d.describe(); err != nil {
				return nil, failure("list", d.name, err)
			}
		}
		switch i := &d.infos[d.next-1]; {
		case i.Err == nil:
			return i, nil
		case errors.Is(i.Err, fs.ErrNotExist): // it was removed since its name was read
		case d.searchable():
			// The entry belongs to another file system that is broken, or to which the server has no access. The
			// other entries are listed, and this one with its name only.
			i.Stat = unix.Stat_t{}
			return i, nil
		default:
			return nil, failure("list", d.name, os.NewSyscallError("fstatat", i.Err))
		}
	}
}

// describe describes the entries of the batch, beginning with the one that NextName returned last.
func (d *dir) describe() error {
	if n := len(d.names); cap(d.infos) < n {
		d.infos = make([]facts.Info, n)
	} else {
		d.infos = d.infos[:n]
	}
	return d.raw.Control(func(fd uintptr) { d.describeFrom(fd, d.next-1) })
}

// describeFrom describes the entries from an index on, in parts. Other goroutines take parts of their own, if processors are free
// for them in time: the listing does not wait for one that comes late.
func (l *listed) describeFrom(fd uintptr, first int) {
	parts := (len(l.names) - first + share - 1) / share
	var taken atomic.Int64
	var missing sync.WaitGroup
	missing.Add(parts)
	work := func() {
		for {
			n := int(taken.Add(1)) - 1
			if n >= parts {
				return // the batch may be in use for something else by now
			}
			from := first + n*share
			l.describePart(fd, from, min(from+share, len(l.names)))
			missing.Done()
		}
	}
	for range min(runtime.GOMAXPROCS(0), parts) - 1 {
		go work()
	}
	work()
	missing.Wait()
}

// describePart describes the entries with the indices from to to-1.
func (l *listed) describePart(fd uintptr, from, to int) {
	for n := from; n < to; n++ {
		i := &l.infos[n]
		i.Base, i.Err = l.names[n], nil
		if errno := statAt(fd, &l.buf[l.at[n]], &i.Stat); errno != 0 {
			i.Err = errno
		}
	}
}

// searchable reports whether entries of the directory can be described at all.
func (d *dir) searchable() bool {
	err := fs.ErrClosed
	_ = d.raw.Control(func(fd uintptr) {
		var stat unix.Stat_t
		err = unix.Fstatat(int(fd), ".", &stat, unix.AT_SYMLINK_NOFOLLOW)
	})
	return err == nil
}

func (d *dir) Close() error {
	if d.listed != nil {
		batches.Put(d.listed)
		d.listed, d.end = &listed{}, fs.ErrClosed
	}
	return d.f.Close()
}
