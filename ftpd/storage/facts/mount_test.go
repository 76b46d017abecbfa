//go:build linux

package facts

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// inMounts is the environment variable that says that the process has mounts of its own.
const inMounts = "FACTS_MOUNTS"

// What is mounted on an entry, or no longer, is shown at once, and so are its changes.
func TestMounts(t *testing.T) { //nolint:paralleltest // it is another process
	if os.Getenv(inMounts) == "" {
		if os.Geteuid() != 0 {
			t.Skip("NOT TESTED: this needs root")
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestMounts$", "-test.v") //nolint:gosec // this program
		cmd.Env = append(os.Environ(), inMounts+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, fs.ErrPermission) {
			t.Skipf("NOT TESTED: no mounts of its own: %v", err)
		}
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	must(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	c, _ := newCache(t)
	dir, elsewhere := filled(t, 1, 40)[0], filepath.Join(folder(t), "elsewhere")
	write(t, 1234, elsewhere)
	hot(t, c, dir)
	on := filepath.Join(dir, "file-7")
	must(t, unix.Mount(elsewhere, on, "", unix.MS_BIND, ""))
	t.Cleanup(func() { _ = unix.Unmount(on, unix.MNT_DETACH) }) // if the test has not
	isTrue(t, c, dir)
	isTrue(t, c, dir)
	write(t, 4321, elsewhere) // no event in dir tells of this
	isTrue(t, c, dir)

	again := filepath.Join(folder(t), "again") // the same directory by another mount, on which nothing is mounted
	must(t, os.Mkdir(again, 0o700), unix.Mount(dir, again, "", unix.MS_BIND, ""))
	t.Cleanup(func() { _ = unix.Unmount(again, unix.MNT_DETACH) }) // likewise
	hotAgain := func() {
		for range 3 {
			if s := open(t, c, again); s != nil {
				same(t, contents(t, s), onDisk(t, again))
			}
			if s := open(t, c, dir); s != nil {
				same(t, contents(t, s), onDisk(t, dir))
			}
		}
	}
	hotAgain()
	must(t, unix.Unmount(on, 0))
	hotAgain()
	must(t, unix.Unmount(again, 0))
}
