package quota

import (
	"io/fs"
	"os"
	"sync"
	"syscall"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// inode identifies a file, whatever its name.
type inode struct{ dev, ino uint64 }

// inodeOf returns a file's inode and its number of names. It returns false if the file is not regular, or the storage
// does not provide inodes.
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

// readings holds the files that are open for downloads, and for uploads that append to a file or keep a part of it
// (REST). If such a file loses its last name, it stays on the disk until it is closed. Until then the Registry
// reserves its size in the accounts that held it. Bytes that an upload adds to such a file are reserved for the upload.
type readings map[inode]*reading

type reading struct {
	// open is the number of downloads and uploads that have the file open.
	open int
	// held is what is reserved in accounts, because the file has lost its last name.
	held     usage
	accounts []*account
}

// opened records that a file was opened. If known is true, closed must later be called with id. The caller holds mu.
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

// closed undoes opened. The caller holds mu.
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
		return f, nil //nolint:nilerr // the download will get the same error
	}
	v.r.mu.Lock()
	id, known := v.r.opened(info)
	v.r.mu.Unlock()
	if !known {
		return f, nil
	}
	// The file may have lost its name after it was opened, and before that was recorded.
	if info, err := f.Stat(); err == nil {
		v.r.mu.Lock()
		defer v.r.mu.Unlock()
		if _, names, _ := inodeOf(info); names == 0 {
			v.r.linger(v.abs(name), id, info.Size())
		}
	}
	return &openFile{File: f, r: v.r, id: id}, nil
}

// openFile is a file that is among the readings until it is closed.
type openFile struct {
	storage.File
	r    *Registry
	id   inode
	once sync.Once
}

// OSFile returns the *os.File below, for system calls that need one; see storage.OSFile.
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

// unnamed records that a file has lost the name under which it was counted as was. If that was its last name, and it
// is open, its size is reserved. The caller holds mu.
func (r *Registry) unnamed(name string, before fs.FileInfo, was usage) {
	if id, names, ok := inodeOf(before); ok && names <= 1 {
		r.linger(name, id, was.bytes)
	}
}

// linger reserves the size of a file without a name for as long as it is open. The caller holds mu.
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
