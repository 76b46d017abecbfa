package storage

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/ftp-operator/ftp-operator/ftpd/storage/facts"
)

// kept is what is kept in memory of the directories that are listed again and again.
type kept struct{ cache *facts.Cache }

// keptMemory bounds what is kept, in bytes. 20,000 names of 22 letters, with a text for LIST and one for MLSD, take 7 MiB.
const keptMemory = 8 << 20

func newKept() kept { return kept{facts.New(statAt, hidden, keptMemory)} }

func (k kept) close() { k.cache.Close() }

// dir returns a Dir that reads the open directory f, or what is kept of it.
func (k kept) dir(f *os.File, name string) Dir { return &keptDir{dir: newDir(f, name), cache: k.cache} }

// keptDir is a directory being listed. A caller that asks for pages gets what is kept. For all others, such as those that count for
// quotas, it reads the directory.
type keptDir struct {
	*dir
	cache    *facts.Cache // nil after the first call of any method
	snapshot *facts.Snapshot
	entries  *facts.Reader // nil if the directory is read from the disk
}

// decide finds out whether the directory is kept, at the first call.
func (d *keptDir) decide() {
	cache := d.cache
	if d.cache = nil; cache == nil || d.end != nil {
		return
	}
	begun := false
	failed := d.raw.Control(func(fd uintptr) {
		d.snapshot = cache.Open(fd, func(add facts.AddFunc) error {
			begun = true
			return d.all(add)
		})
		if d.snapshot == nil && begun {
			_, d.end = unix.Seek(int(fd), 0, io.SeekStart) //nolint:gosec // a descriptor
		}
	})
	if failed != nil || begun {
		d.empty()
	}
	if d.snapshot != nil {
		d.entries = facts.NewReader(d.snapshot)
	}
}

// all calls add for every entry. It leaves out what has vanished meanwhile, and fails if an entry can't be described.
func (d *keptDir) all(add facts.AddFunc) error {
	for {
		switch _, err := d.dir.NextName(); {
		case errors.Is(err, io.EOF):
			d.end = nil
			return nil
		case err != nil:
			d.end = nil // who reads the directory again finds out
			return err
		}
		if len(d.infos) == 0 {
			if err := d.describe(); err != nil {
				return err
			}
		}
		i, at := &d.infos[d.next-1], d.at[d.next-1]
		if errors.Is(i.Err, fs.ErrNotExist) {
			continue
		} else if i.Err != nil {
			return i.Err
		}
		ino := binary.NativeEndian.Uint64(d.buf[at-direntName+direntInode:])
		if err := add(d.text[at:at+len(i.Base)+1], ino, &i.Stat); err != nil {
			return err
		}
	}
}

func (d *keptDir) Next() (fs.FileInfo, error) {
	d.cache = nil
	if d.entries == nil {
		return d.dir.Next()
	}
	if i := d.entries.Next(); i != nil {
		return i, nil
	}
	return nil, io.EOF
}

func (d *keptDir) NextName() (string, error) {
	d.cache = nil
	if d.entries == nil {
		return d.dir.NextName()
	}
	if name, ok := d.entries.NextName(); ok {
		return name, nil
	}
	return "", io.EOF
}

func (d *keptDir) NextPage() Page {
	d.decide()
	if d.entries == nil {
		return nil
	}
	if p := d.entries.NextPage(); p != nil {
		return p
	}
	return nil
}

func (d *keptDir) Close() error {
	if d.snapshot != nil {
		d.snapshot.Release()
		d.snapshot, d.entries = nil, nil
	}
	return d.dir.Close()
}
