//go:build linux

package facts

import (
	"bytes"
	"encoding/binary"
	"errors"
	"iter"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// watched are the events that are asked for: everything that changes a name, what is shown of an entry, or who may
// read the directory. CLOSE_WRITE ends writes that raised no event. Events about the directory itself that are not asked for but
// come nevertheless are IGNORED, UNMOUNT and Q_OVERFLOW (inotify(7)).
const watched = unix.IN_ATTRIB | unix.IN_MODIFY | unix.IN_CLOSE_WRITE | unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO |
	unix.IN_DELETE_SELF

// named are the events by which the set of names changes.
const named = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO

// watcher is an inotify instance, and the list of mounts. Nobody waits for either: they are looked at when a directory is listed.
type watcher struct {
	inotify int
	mounts  int // not an os.File: Go's poller would take its events
	polled  [2]unix.PollFd
	buf     [16 << 10]byte
}

func newWatcher() (*watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	mounts, err := unix.Open("/proc/self/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("open", err)
	}
	return &watcher{inotify: fd, mounts: mounts, polled: [2]unix.PollFd{
		{Fd: int32(fd), Events: unix.POLLIN},      //nolint:gosec // a descriptor
		{Fd: int32(mounts), Events: unix.POLLPRI}, //nolint:gosec // a descriptor
	}}, nil
}

func (w *watcher) close() {
	_ = unix.Close(w.inotify)
	_ = unix.Close(w.mounts)
}

// add watches an open directory. The same directory has the same watch, whatever its path.
func (w *watcher) add(dir uintptr) (watch int32, err error) {
	n, err := unix.InotifyAddWatch(w.inotify, "/proc/self/fd/"+strconv.Itoa(int(dir)), watched|unix.IN_ONLYDIR) //nolint:gosec // a descriptor
	return int32(n), os.NewSyscallError("inotify_add_watch", err)                                               //nolint:gosec // the kernel's type
}

// remove ends a watch. Events of it may still come.
func (w *watcher) remove(watch int32) {
	_, _ = unix.InotifyRmWatch(w.inotify, uint32(watch)) //nolint:gosec // the kernel's type
}

// changed reports whether there are events, and whether a file system was mounted or unmounted since the last call
// (proc_pid_mountinfo(5)).
func (w *watcher) changed() (events, mounts bool, err error) {
	for {
		w.polled[0].Revents, w.polled[1].Revents = 0, 0
		_, err := unix.Ppoll(w.polled[:], &unix.Timespec{}, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return w.polled[0].Revents != 0, w.polled[1].Revents != 0, os.NewSyscallError("ppoll", err)
	}
}

// read returns some events. It returns none when no more have come.
func (w *watcher) read() ([]byte, error) {
	for {
		n, err := unix.Read(w.inotify, w.buf[:])
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return nil, nil
		case err != nil:
			return nil, os.NewSyscallError("read", err)
		default:
			return w.buf[:n], nil
		}
	}
}

// event is an event about a watched directory, or about an entry of it. name ends with a zero byte, or is empty.
type event struct {
	watch int32
	mask  uint32
	name  []byte
}

// events returns the events in what read has returned. A name is valid until the next event is asked for.
func events(b []byte) iter.Seq[event] {
	return func(yield func(event) bool) {
		for len(b) >= unix.SizeofInotifyEvent {
			length := int(binary.NativeEndian.Uint32(b[12:]))
			e := event{watch: int32(binary.NativeEndian.Uint32(b)), mask: binary.NativeEndian.Uint32(b[4:])} //nolint:gosec // the kernel's type
			b = b[unix.SizeofInotifyEvent:]
			if length > len(b) {
				return // not what the kernel returns
			}
			if end := bytes.IndexByte(b[:length], 0); end > 0 {
				e.name = b[:end+1]
			}
			b = b[length:]
			if !yield(e) {
				return
			}
		}
	}
}

// unnamedInode returns the inode of a file that was made without a name (O_TMPFILE). Even when it has a name, events of the
// descriptor that has made it come with "#" and the number of its inode.
func unnamedInode(name string) (uint64, bool) {
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	n, err := strconv.ParseUint(name[1:], 10, 64)
	return n, err == nil
}
