//go:build !linux || !(amd64 || arm64 || riscv64 || ppc64 || ppc64le || s390x)

package storage

import "os"

// beneath is nothing on this system: every path is resolved by the os.Root.
type beneath struct{}

func newBeneath(*os.Root) (*beneath, error)    { return &beneath{}, nil }
func (*beneath) close() error                  { return nil }
func (*beneath) folder(string) (folder, error) { return nil, errUseRoot }
func (*beneath) absent(string) bool            { return false }
func (*beneath) openRead(string) (File, error) { return nil, errUseRoot }
