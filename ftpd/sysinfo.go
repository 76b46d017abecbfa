package ftpd

import (
	"io/fs"
	"strconv"
	"syscall"
)

// links is the number of hard links, where the file system tells.
func links(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink) //nolint:unconvert // of another type on other architectures
	}
	return 1
}

// appendUniqueID appends what identifies the file behind a name; false where the file system has
// no such thing.
func appendUniqueID(b []byte, info fs.FileInfo) ([]byte, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return b, false
	}
	b = strconv.AppendUint(b, uint64(st.Dev), 16) //nolint:unconvert // of another type on other architectures
	return strconv.AppendUint(append(b, 'g'), st.Ino, 16), true
}
