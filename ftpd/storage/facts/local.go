//go:build linux

package facts

import (
	"errors"

	"golang.org/x/sys/unix"
)

// IsLocal reports whether all changes in a file system with this magic number (statfs(2)) are made by this kernel, in a
// way that inotify reports. Network file systems change by others, and of those in layers the lower ones may.
func IsLocal(magic int64) bool {
	switch uint32(magic) { //nolint:gosec // some are negative where the type has 32 bits
	case unix.EXT4_SUPER_MAGIC, // ext2, ext3, ext4
		unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC:
		return true
	}
	return false
}

// Flags of a directory, see ioctl_fs_ioc_getflags(2).
const (
	flagEncrypted = 0x800
	flagCasefold  = 0x40000000
)

// keepable reports whether the facts of an open directory may be kept. With case folding an event may have another
// name than the entry, and with encryption names change when the key comes or goes.
func keepable(dir int) bool {
	var fs unix.Statfs_t
	if unix.Fstatfs(dir, &fs) != nil || !IsLocal(int64(fs.Type)) { //nolint:unconvert // of another type on other architectures
		return false
	}
	flags, err := unix.IoctlGetUint32(dir, unix.FS_IOC_GETFLAGS)
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EOPNOTSUPP) {
		return true // a tmpfs without flags
	}
	return err == nil && exact(flags)
}

// exact reports whether the names in a directory with these flags are always those that events have.
func exact(flags uint32) bool { return flags&(flagEncrypted|flagCasefold) == 0 }

// identity is a directory, by whatever path it was reached, and the mount by which that was.
type identity struct {
	inode
	mount uint64
}

type inode struct{ dev, ino uint64 }

// identify identifies an open directory. ok is false if the kernel can't tell (before 5.8).
func identify(dir int) (id identity, ok bool) {
	var st unix.Statx_t
	const wanted = unix.STATX_INO | unix.STATX_MNT_ID
	err := unix.Statx(dir, "", unix.AT_EMPTY_PATH|unix.AT_STATX_DONT_SYNC, wanted, &st)
	return identity{inode{unix.Mkdev(st.Dev_major, st.Dev_minor), st.Ino}, st.Mnt_id}, err == nil && st.Mask&wanted == wanted
}
