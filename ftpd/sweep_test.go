package ftpd_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

func TestLeftoversAreSweptAtStart(t *testing.T) {
	t.Parallel()
	var leftover string
	ftptest.Start(t, func(c *config.Config) {
		leftover = filepath.Join(c.Storage.Root, ".ftpd-upload-leftover")
		old := time.Now().Add(-time.Minute)
		if err := errors.Join(os.WriteFile(leftover, nil, 0o600), os.Chtimes(leftover, old, old)); err != nil {
			t.Fatal(err)
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; <-time.After(time.Millisecond) {
		if _, err := os.Stat(leftover); errors.Is(err, fs.ErrNotExist) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the leftover is still there")
		}
	}
}
