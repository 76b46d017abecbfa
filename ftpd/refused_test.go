package ftpd_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

const unprivilegedEnv = "FTPD_TEST_UNPRIVILEGED"

// unprivileged reports whether the test runs in a process to which file permissions apply. If not, unprivileged has
// run the test in a child process whose user is not root, in a user namespace of its own.
func unprivileged(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 || os.Getenv(unprivilegedEnv) != "" {
		return true
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), exe, "-test.run=^"+t.Name()+"$", "-test.timeout=5m") //nolint:gosec // this same test
	child.Env = append(os.Environ(), unprivilegedEnv+"=1")
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 1000, HostID: 0, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 1000, HostID: 0, Size: 1}},
	}
	output, err := child.CombinedOutput()
	if errors.Is(err, fs.ErrPermission) {
		t.Skipf("NOT TESTED: this machine allows no user namespaces: %v", err)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	return false
}

// A transfer that is going to fail must be refused before a data connection is opened, with a reply that says what is
// wrong: here, the permissions of files on the disk forbid reading or writing.
func TestRefusedBeforeOpening(t *testing.T) {
	t.Parallel()
	if !unprivileged(t) {
		return
	}
	s := ftptest.Start(t)
	modes := map[string]os.FileMode{
		"closed": 0, "names": 0o400, "passage": 0o100, "fixed": 0o500, "secret": 0, "shown/hidden": 0,
	}
	for _, name := range []string{"closed/f", "names/f", "passage/f", "fixed/f", "shown/f", "shown/hidden/f", "secret"} {
		s.Write(t, name, "content")
	}
	for name, mode := range modes {
		path := filepath.Join(s.Root, name)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(path, 0o700) }) //nolint:gosec // so that it can be removed
	}
	c := ftptest.Login(t, s.Addr, "alice")
	for _, command := range []string{
		"LIST closed", "NLST closed", "MLSD closed", "STAT closed", "LIST closed/*", "NLST closed/f", "RETR closed/f",
		"STOR closed/new", "APPE closed/new", "STOU closed/new", "APPE closed/f",
		"LIST names", "MLSD names", "STAT names", "RETR names/f",
		"LIST passage", "NLST passage", "MLSD passage", "STOR passage/new",
		"STOR fixed/new", "APPE fixed/new", "STOU fixed/new", "RETR secret",
	} {
		c.EpsvAddr()
		c.Must(command, "550")
		c.Must("NOOP", "200") // there was only one reply
	}
	for command, want := range map[string]string{
		"NLST names": "names/f\r\n", "NLST fixed": "fixed/f\r\n",
	} {
		if got := c.Get(command); got != want {
			t.Errorf("%s: %q", command, got)
		}
	}
	if got := lines(t, c.Get("LIST shown")); len(got) != 2 {
		t.Errorf("LIST shown: %q", got)
	}
}
