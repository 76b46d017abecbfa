package listing

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

// appendUnique appends the fact that identifies the file behind a name, where the file system has
// such a thing.
func appendUnique(b []byte, info fs.FileInfo) []byte {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return b
	}
	b = strconv.AppendUint(append(b, "unique="...), uint64(st.Dev), 16) //nolint:unconvert // of another type on other architectures
	return append(strconv.AppendUint(append(b, 'g'), st.Ino, 16), ';')
}
