package listing

import (
	"io/fs"
	"strconv"
	"syscall"
)

// links returns the number of hard links, or 1 if the file system does not report it.
func links(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink) //nolint:unconvert // of another type on other architectures
	}
	return 1
}

// appendUnique appends the unique fact, which identifies the file behind a name, if the file system identifies files.
func appendUnique(b []byte, info fs.FileInfo) []byte {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return b
	}
	b = strconv.AppendUint(append(b, "unique="...), uint64(st.Dev), 16) //nolint:unconvert // of another type on other architectures
	return append(strconv.AppendUint(append(b, 'g'), st.Ino, 16), ';')
}
