package quota

import (
	"io/fs"
	"os"
	"sync"
	"syscall"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// inode identifies a file whatever its name is.
type inode struct{ dev, ino uint64 }

// inodeOf is a file's identity, and how many names it has; false where the storage knows of none.
func inodeOf(info fs.FileInfo) (id inode, names uint64, ok bool) {
	if info == nil || !info.Mode().IsRegular() {
		return inode{}, 0, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return inode{}, 0, false
	}
	return inode{uint64(st.Dev), uint64(st.Ino)}, uint64(st.Nlink), true //nolint:unconvert // the types differ by architecture
}

// readings are the files that downloads have open, and uploads that append to a file or keep a part of it (REST). A
// file that loses its last name stays on the disk until the last of them has ended, and until then its size is reserved
// in the accounts that held it; what an upload adds to it is reserved for the upload.
type readings map[inode]*reading

type reading struct {
	// open counts the downloads and uploads.
	open int
	// held is reserved in these accounts, since the file has no name any more.
	held     usage
	accounts []*account
}

// opened notes that a file is being read. Called with mu; what it returns is for closed.
func (r *Registry) opened(info fs.FileInfo) (id inode, known bool) {
	id, _, known = inodeOf(info)
	if !known {
		return id, false
	}
	file := r.readings[id]
	if file == nil {
		file = &reading{}
		r.readings[id] = file
	}
	file.open++
	return id, true
}

// closed takes opened back. Called with mu.
func (r *Registry) closed(id inode) {
	file := r.readings[id]
	if file.open--; file.open > 0 {
		return
	}
	delete(r.readings, id)
	for _, a := range file.accounts {
		a.reserved = a.reserved.minus(file.held)
	}
}

// Open opens a file for reading.
func (v *view) Open(name string) (storage.File, error) {
	f, err := v.FS.Open(name)
	if err != nil || !v.r.any() {
		return f, err
	}
	info, err := f.Stat()
	if err != nil {
		return f, nil //nolint:nilerr // the download will meet it
	}
	v.r.mu.Lock()
	id, known := v.r.opened(info)
	v.r.mu.Unlock()
	if !known {
		return f, nil
	}
	// It may have lost its name after it was opened, and before that was known.
	if info, err := f.Stat(); err == nil {
		v.r.mu.Lock()
		defer v.r.mu.Unlock()
		if _, names, _ := inodeOf(info); names == 0 {
			v.r.linger(v.abs(name), id, info.Size())
		}
	}
	return &openFile{File: f, r: v.r, id: id}, nil
}

// openFile is a file that is counted among the readings until it is closed.
type openFile struct {
	storage.File
	r    *Registry
	id   inode
	once sync.Once
}

// OSFile is the file below, for the system calls that need one.
func (f *openFile) OSFile() *os.File {
	file, _ := storage.OSFile(f.File)
	return file
}

func (f *openFile) Close() error {
	err := f.File.Close()
	f.once.Do(func() {
		f.r.mu.Lock()
		defer f.r.mu.Unlock()
		f.r.closed(f.id)
	})
	return err
}

// unnamed notes that a file has lost the name at which it was counted for that much, and reserves it if that was the
// file's last name and something has it open. Called with mu.
func (r *Registry) unnamed(name string, before fs.FileInfo, was usage) {
	if id, names, ok := inodeOf(before); ok && names <= 1 {
		r.linger(name, id, was.bytes)
	}
}

// linger reserves the size of a file without a name, for as long as something has it open. Called with mu.
func (r *Registry) linger(name string, id inode, bytes int64) {
	file := r.readings[id]
	if file == nil || file.accounts != nil {
		return
	}
	file.held, file.accounts = usage{bytes: bytes}, r.holding(name)
	for _, a := range file.accounts {
		a.reserved = a.reserved.plus(file.held)
	}
}
