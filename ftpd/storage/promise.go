package storage

import (
	"os"
	"sync"
	"syscall"
)

// promises holds the uploads whose clients have announced the size (ALLO). The bytes of one that have not arrived are not
// promised to another, so that both can be stored. No disk space is allocated: otherwise clients could fill the disk
// just by announcing.
type promises struct {
	mu   sync.Mutex
	open map[*os.File]promise
}

type promise struct {
	device uint64
	bytes  int64 // announced size of the whole file
}

// make promises that the file f can grow to so many bytes. It returns ENOSPC if the file system of dir has not enough
// space left. Zero bytes need no promise.
func (p *promises) make(f *os.File, dir folder, bytes int64) error {
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

// keep ends the promise for f, if there is one. It must be called before f is closed.
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
	return uint64(statOf(info).Dev), info.Size(), nil //nolint:unconvert // it differs by system
}
