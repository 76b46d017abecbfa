package ftpd

import (
	"fmt"
	"io/fs"
	"syscall"
)

// links is the number of hard links, where the file system tells.
func links(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink) //nolint:unconvert // of another type on other architectures
	}
	return 1
}

// uniqueID identifies the file behind a name; "" where the file system has no such thing.
func uniqueID(info fs.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%xg%x", st.Dev, st.Ino)
}
