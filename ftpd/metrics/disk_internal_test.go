package metrics

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// A file system that hangs must be asked only once, and its answer must be used when it comes.
func TestHangingDisk(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	answer := make(chan error)
	p := newDiskProbe(func() (storage.Disk, error) {
		asked.Add(1)
		return storage.Disk{SizeBytes: 7}, <-answer
	})
	p.patience = time.Millisecond
	for range 3 {
		if _, ok := p.measure(); ok {
			t.Fatal("an answer that nobody gave")
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	answer <- nil
	ftptest.Eventually(t, "the late answer", func() bool {
		disk, ok := p.measure()
		return ok && disk.SizeBytes == 7 || asked.Load() > 1
	})
	if asked.Load() > 1 {
		t.Error("the late answer was not taken")
	}
	go func() { answer <- errors.New("gone") }()
	p.patience = time.Minute
	if _, ok := p.measure(); ok {
		t.Error("a failure was taken for an answer")
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	quota := func(counted bool, usedBytes, limitBytes, usedFiles, limitFiles int64) ftpd.UserQuota {
		return ftpd.UserQuota{Counted: counted, Quota: storage.Quota{
			UsedBytes: usedBytes, LimitBytes: limitBytes, UsedFiles: usedFiles, LimitFiles: limitFiles,
		}}
	}
	for want, q := range map[string][]ftpd.UserQuota{
		"uncounted": {quota(false, 0, 100, 0, 0)},
		"ok":        {quota(true, 79, 100, 1000, 0), quota(true, 0, 0, 0, 0)},
		"high":      {quota(true, 80, 100, 0, 0), quota(true, 0, 100, 99, 100)},
		"full":      {quota(true, 100, 100, 0, 0), quota(true, 0, 100, 101, 100)},
	} {
		if got := levels(q)[want]; got != len(q) {
			t.Errorf("%s: %v", want, levels(q))
		}
	}
}
