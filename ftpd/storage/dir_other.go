//go:build !linux

package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// dir is a directory being listed.
type dir struct {
	f       *os.File
	name    string
	entries []fs.FileInfo
	end     error
}

func newDir(f *os.File, name string) *dir { return &dir{f: f, name: name} }

func (d *dir) Next() (fs.FileInfo, error) {
	for {
		for len(d.entries) > 0 {
			info := d.entries[0]
			d.entries = d.entries[1:]
			if !hidden(info.Name()) {
				return info, nil
			}
		}
		if d.end != nil {
			return nil, d.end
		}
		d.entries, d.end = d.f.Readdir(batch)
		if d.end != nil && !errors.Is(d.end, io.EOF) {
			d.end = failure("list", d.name, d.end)
		}
	}
}

func (d *dir) NextName() (string, error) {
	info, err := d.Next()
	if err != nil {
		return "", err
	}
	return info.Name(), nil
}

func (d *dir) Close() error { return d.f.Close() }
