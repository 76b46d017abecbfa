//go:build !linux

package storage

import "os"

// isMountPoint returns false: this system offers no way to find out.
func isMountPoint(int, string) bool { return false }

// allocate does nothing: this system offers no way to reserve space.
func allocate(*os.File, int64) error { return nil }
