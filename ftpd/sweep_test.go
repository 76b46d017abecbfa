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
	ftptest.Eventually(t, "the leftover is gone", func() bool {
		_, err := os.Stat(leftover)
		return errors.Is(err, fs.ErrNotExist)
	})
}
