package ftpd

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

func TestFsReply(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]int{
		fs.ErrNotExist: 550, fs.ErrExist: 550, fs.ErrPermission: 550, syscall.ENOSPC: 452, syscall.EDQUOT: 552, syscall.EROFS: 550, errors.ErrUnsupported: 504, storage.ErrBusy: 450, storage.ErrIsDirectory: 550,
		storage.ErrNotRegular: 550, syscall.ENOTEMPTY: 550, storage.ErrNotDirectory: 550, syscall.ENAMETOOLONG: 553,
		storage.ErrOffset: 554, syscall.EIO: 451,
	} {
		if code, text := fsReply(fmt.Errorf("wrapped: %w", err)); code != want || text == "" {
			t.Errorf("%v: %d %s, want %d", err, code, text, want)
		}
	}
}
