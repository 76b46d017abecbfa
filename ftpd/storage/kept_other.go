//go:build !linux

package storage

import "os"

// kept is nothing: only Linux tells of every change.
type kept struct{}

func newKept() kept { return kept{} }

func (kept) close() {}

func (kept) dir(f *os.File, name string) Dir { return newDir(f, name) }
