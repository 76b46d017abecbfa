package storage

import (
	"os"
	"sync"
	"syscall"
)

// promises are the uploads whose clients have announced how much will come (ALLO). What one of them
// still waits for is not promised to another, so that both can be stored. Nothing is taken from
// the disk for it: else announcing alone would fill that.
type promises struct {
	mu   sync.Mutex
	open map[*os.File]promise
}

type promise struct {
	device uint64
	bytes  int64 // of the whole file
}

// make promises that a file will come to hold so many bytes; ENOSPC if the file system of dir has
// not as many.
func (p *promises) make(f *os.File, dir *os.Root, bytes int64) error {
	if bytes <= 0 {
		return nil
	}
	d, err := dir.OpenFile(".", openDirFlags, 0)
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // it was only read
	device, _, err := deviceAndSize(d)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	disk, err := measure(d)
	if err != nil {
		return err
	}
	left := disk.AvailableBytes
	for other, promised := range p.open {
		if promised.device != device {
			continue
		}
		_, size, err := deviceAndSize(other)
		if err != nil {
			return err
		}
		left -= max(0, promised.bytes-size)
	}
	if bytes > left {
		return syscall.ENOSPC
	}
	if p.open == nil {
		p.open = map[*os.File]promise{}
	}
	p.open[f] = promise{device, bytes}
	return nil
}

// keep ends a promise, before the file is closed.
func (p *promises) keep(f *os.File) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, f)
}

func deviceAndSize(f *os.File) (device uint64, size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	return uint64(info.Sys().(*syscall.Stat_t).Dev), info.Size(), nil //nolint:unconvert // it differs by system
}
