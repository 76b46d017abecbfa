//go:build !linux || !(amd64 || arm64 || riscv64 || ppc64 || ppc64le || s390x)

package storage

import (
	"errors"
	"os"
)

// beneath is nothing on this system: every path is resolved by the os.Root.
type beneath struct{}

// errUseRoot means that the os.Root must be asked.
var errUseRoot = errors.New("the path must be resolved step by step")

func newBeneath(*os.Root) (*beneath, error)    { return &beneath{}, nil }
func (*beneath) close() error                  { return nil }
func (*beneath) folder(string) (folder, error) { return nil, errUseRoot }
func (*beneath) absent(string) bool            { return false }
func (*beneath) openRead(string) (File, error) { return nil, errUseRoot }
