package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// nobody is the user and group that own stored files.
const nobody = 65534

// listings are the numbers of entries of the directories that are listed.
var listings = []int{2000, 20000}

const bulkFile = "bulk"

// singleFile has 1 KiB, and lies in no folder.
const singleFile = "single-1k"

// smallSizes are the sizes of the small files in KiB.
var smallSizes = []int{1, 64}

// mostStored returns how many files of a size are stored in one turn at most, since they are kept until the end: 64 MiB, but
// no more than 8192 files.
func mostStored(kib int) int { return min(64<<10/kib, 8192) }

func smallFile(kib, i int) string { return fmt.Sprintf("small-%dk/%04d", kib, i) }
func listDir(n int) string        { return fmt.Sprintf("list-%d", n) }

// makeFiles creates the files that the servers serve.
func makeFiles(root string, size int64) error {
	if err := randomFile(filepath.Join(root, bulkFile), size); err != nil {
		return err
	}
	if err := randomFile(filepath.Join(root, singleFile), 1<<10); err != nil {
		return err
	}
	for _, kib := range smallSizes {
		if err := makeDir(root, filepath.Dir(smallFile(kib, 0))); err != nil {
			return err
		}
		for i := range smallFiles {
			if err := randomFile(filepath.Join(root, smallFile(kib, i)), int64(kib)<<10); err != nil {
				return err
			}
		}
	}
	return makeListings(root)
}

func makeDir(root, name string) error {
	return os.Mkdir(filepath.Join(root, name), 0o755) //nolint:gosec // sessions read it as nobody
}

func randomFile(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644) //nolint:gosec // as above
	if err != nil {
		return err
	}
	// The same block is repeated: nothing here compresses data.
	block := make([]byte, min(size, 1<<20))
	_, _ = rand.Read(block) // never fails
	for left := size; left > 0 && err == nil; {
		var n int
		n, err = f.Write(block[:min(left, int64(len(block)))])
		left -= int64(n)
	}
	if err2 := f.Close(); err == nil {
		err = err2
	}
	return err
}

// inUploads creates a directory for uploads, and removes it after do has returned unless keep is set. do gets its name as
// sessions see it. Many small files are kept until the end: what file systems do later for files that were removed would
// slow down the next server.
func (b *bench) inUploads(keep bool, do func(dir string) error) error {
	path, err := os.MkdirTemp(b.site.Files, "up-")
	if err != nil {
		return err
	}
	if !keep {
		defer os.RemoveAll(path) //nolint:errcheck // the whole tree goes in the end
	}
	if err := os.Chown(path, nobody, nobody); err != nil {
		return err
	}
	return do(filepath.Base(path))
}

// head reads the first n bytes of the bulk file.
func (b *bench) head(n int64) ([]byte, error) {
	f, err := os.Open(filepath.Join(b.site.Files, bulkFile))
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	return io.ReadAll(io.LimitReader(f, n))
}
