package crash

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// A FUSE file system whose root is a regular file: the content of a disk. The protocol is that of
// include/uapi/linux/fuse.h; numbers are little-endian here, as on all machines that the project is built for.

// Operations of FUSE.
const (
	opForget      = 2
	opGetattr     = 3
	opSetattr     = 4
	opOpen        = 14
	opRead        = 15
	opWrite       = 16
	opStatfs      = 17
	opRelease     = 18
	opFsync       = 20
	opFlush       = 25
	opInit        = 26
	opInterrupt   = 36
	opDestroy     = 38
	opBatchForget = 42
)

const (
	fuseIn       = 40 // bytes of the header of a request
	fuseOut      = 16 // of an answer
	writeHeader  = 40 // of what comes before the data of a write
	maxWrite     = 1 << 20
	bigWrites    = 1 << 5
	maxPagesFlag = 1 << 22
)

// serve mounts the disk as the file at, which must exist, and serves it until it is unmounted. ended is closed then.
func (d *disk) serve(at string) (ended <-chan struct{}, err error) {
	// Package os would wait in the poller; this must be served whatever the runtime does.
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: "/dev/fuse", Err: err}
	}
	options := fmt.Sprintf("fd=%d,rootmode=%o,user_id=0,group_id=0,allow_other", fd, unix.S_IFREG)
	if err := unix.Mount("disk", at, "fuse.disk", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return nil, errors.Join(&os.PathError{Op: "mount", Path: at, Err: err}, unix.Close(fd))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer unix.Close(fd) //nolint:errcheck // a test's
		d.answerAll(fd)
	}()
	return done, nil
}

func (d *disk) answerAll(fd int) {
	in := make([]byte, maxWrite+fuseIn+writeHeader+unix.Getpagesize())
	for {
		n, err := unix.Read(fd, in)
		switch {
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ENOENT):
			continue
		case err != nil: // ENODEV: unmounted
			return
		}
		op := binary.LittleEndian.Uint32(in[4:])
		if op == opForget || op == opBatchForget || op == opInterrupt {
			continue // they have no answer
		}
		body, errno := d.answer(op, in[fuseIn:n])
		out := make([]byte, fuseOut, fuseOut+len(body))
		out = append(out, body...)
		binary.LittleEndian.PutUint32(out, uint32(len(out)))          //nolint:gosec // small
		binary.LittleEndian.PutUint32(out[4:], uint32(-int32(errno))) //nolint:gosec // an error number
		copy(out[8:16], in[8:16])                                     // which request it answers
		_, _ = unix.Write(fd, out)                                    // who asked may be gone
	}
}

// answer carries out one request, and returns what follows the header of the answer.
func (d *disk) answer(op uint32, in []byte) ([]byte, unix.Errno) {
	le := binary.LittleEndian
	switch op {
	case opInit:
		out := make([]byte, 64)
		le.PutUint32(out, 7)
		le.PutUint32(out[4:], 31)
		le.PutUint32(out[8:], le.Uint32(in[8:])) // read ahead what the kernel likes
		le.PutUint32(out[12:], bigWrites|maxPagesFlag)
		le.PutUint16(out[16:], 16) // requests in the background, and from how many on the kernel holds back
		le.PutUint16(out[18:], 12)
		le.PutUint32(out[20:], maxWrite)
		le.PutUint32(out[24:], 1) // ns
		le.PutUint16(out[28:], maxWrite/4096)
		return out, 0
	case opGetattr, opSetattr:
		out := make([]byte, 104)
		le.PutUint64(out, 3600)          // s for which it is valid
		le.PutUint64(out[16:], 1)        // the root's inode
		le.PutUint64(out[24:], diskSize) // bytes
		le.PutUint64(out[32:], diskSize/512)
		le.PutUint32(out[76:], unix.S_IFREG|0o600)
		le.PutUint32(out[80:], 1) // name
		le.PutUint32(out[96:], sector)
		return out, 0
	case opOpen:
		return make([]byte, 16), 0
	case opRead:
		at, size := int(le.Uint64(in[8:])), int(le.Uint32(in[16:])) //nolint:gosec // within the disk
		out := make([]byte, max(0, min(size, diskSize-at)))
		d.read(at, out)
		return out, 0
	case opWrite:
		at, size := int(le.Uint64(in[8:])), int(le.Uint32(in[16:])) //nolint:gosec // within the disk
		if at+size > diskSize {
			return nil, unix.ENOSPC
		}
		d.write(at, in[writeHeader:writeHeader+size])
		out := make([]byte, 8)
		le.PutUint32(out, uint32(size)) //nolint:gosec // small
		return out, 0
	case opFsync:
		d.flush()
		return nil, 0
	case opStatfs:
		return make([]byte, 80), 0
	case opRelease, opFlush, opDestroy:
		return nil, 0
	}
	return nil, unix.ENOSYS
}
