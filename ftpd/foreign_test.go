package ftpd_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

const (
	foreignEnv = "FTPD_TEST_FOREIGN"
	daemonUID  = 65532
	groupOfIts = 5555 // a group of the daemon's user
)

// Files of other owners must be writable as their modes allow, and keep owner, group and mode. The daemon runs in a
// child process, which is this test itself, as another user than the owner of the files.
func TestForeignFiles(t *testing.T) {
	if dir := os.Getenv(foreignEnv); dir != "" {
		if err := errors.Join(syscall.Setgroups([]int{groupOfIts}), syscall.Setresgid(daemonUID, daemonUID, daemonUID), syscall.Setresuid(daemonUID, daemonUID, daemonUID)); err != nil {
			t.Fatal(err)
		}
		storeToForeign(t, dir)
		return
	}
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: files of other owners take root to make; CI runs the tests as root")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), exe, "-test.run=^TestForeignFiles$")
	// The child needs a directory that it may enter: the tests' own directories belong to root.
	dir, err := os.MkdirTemp("/tmp", "foreign") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	makeForeign(t, dir)
	child.Env = append(os.Environ(), foreignEnv+"="+dir, "TMPDIR=/tmp")
	if output, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// foreign lists the files to create, with path, owner, group and mode. A path that ends in a slash is a directory.
var foreign = []struct {
	name     string
	uid, gid int
	mode     fs.FileMode
}{
	{"closed/", 0, 0, 0o755}, // no new file can be created in it
	{"closed/writable", 0, 0, 0o666},
	{"closed/resumed", 0, 0, 0o666},
	{"closed/readonly", 0, 0, 0o644},
	{"open/", 0, 0, 0o777},
	{"open/writable", 0, 0, 0o666},
	{"open/readonly", 0, 0, 0o644},
	{"open/group", daemonUID, 1, 0o664},
	{"open/member", daemonUID, groupOfIts, 0o664},
	{"sticky/", 0, 0, 0o777 | fs.ModeSticky},
	{"sticky/writable", 12345, 12345, 0o666},
}

const oldContent = "the old content"

func makeForeign(t *testing.T, dir string) {
	t.Helper()
	for _, f := range foreign {
		path := filepath.Join(dir, f.name)
		var err error
		if strings.HasSuffix(f.name, "/") {
			err = os.Mkdir(path, 0o700)
		} else {
			err = os.WriteFile(path, []byte(oldContent), 0o600)
		}
		if err = errors.Join(err, os.Lchown(path, f.uid, f.gid), os.Chmod(path, f.mode)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the child has to enter it
		t.Fatal(err)
	}
}

func storeToForeign(t *testing.T, dir string) {
	s := ftptest.Start(t, func(c *config.Config) {
		c.Storage.Root = dir
		c.Users[0].Quota.Bytes = 1000
	})
	s.Root = dir
	c := ftptest.Login(t, s.Addr, "alice")
	want := func(name, content string) {
		t.Helper()
		if got := s.Read(t, name); got != content {
			t.Errorf("%s holds %q, want %q", name, got, content)
		}
		for _, f := range foreign {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			stat := info.Sys().(*syscall.Stat_t)
			if f.name == name && (int(stat.Uid) != f.uid || int(stat.Gid) != f.gid || info.Mode() != f.mode) {
				t.Errorf("%s is of %d:%d with mode %o", name, stat.Uid, stat.Gid, info.Mode())
			}
		}
	}
	for _, name := range []string{"closed/new", "closed/readonly", "open/readonly"} {
		c.Data()
		c.Must("STOR "+name, "550")
	}
	want("open/readonly", oldContent)
	for _, f := range foreign {
		if strings.HasSuffix(f.name, "/") || strings.HasSuffix(f.name, "readonly") {
			continue
		}
		for _, content := range []string{"short", strings.Repeat("longer", 10), ""} {
			if reply := c.Put("STOR "+f.name, content); reply[:3] != "226" {
				t.Errorf("STOR %s: %s", f.name, reply)
			}
			want(f.name, content)
		}
		for _, step := range []struct{ rest, command, content, want string }{
			{"", "APPE ", "12345", "12345"},
			{"", "APPE ", "678", "12345678"},
			{"REST 4", "STOR ", "x", "1234x"},
			{"REST 5", "STOR ", "y", "1234xy"},
		} {
			if step.rest != "" {
				c.Must(step.rest, "350")
			}
			if reply := c.Put(step.command+f.name, step.content); reply[:3] != "226" {
				t.Errorf("%s %s%s: %s", step.rest, step.command, f.name, reply)
			}
			want(f.name, step.want)
		}
		// An append can be undone everywhere; a replacement, where a new file can be created.
		for _, command := range []string{"APPE ", "STOR "} {
			data := c.Data()
			c.Must(command+f.name, "150")
			if _, err := data.Write([]byte("lost")); err != nil {
				t.Fatal(err)
			}
			_ = data.SetLinger(0)
			_ = data.Close()
			c.Talk("S: 426 *")
			if command == "STOR " && strings.HasPrefix(f.name, "closed/") {
				if got := s.Read(t, f.name); got != "" && got != "lost" && got != "1234xy" {
					t.Errorf("%s holds %q", f.name, got)
				}
				c.Put("STOR "+f.name, "1234xy")
			}
			want(f.name, "1234xy")
		}
	}
	// The quota must count what is written in place.
	if reply := c.Put("STOR closed/writable", strings.Repeat("x", 1000)); reply[:3] != "552" {
		t.Error(reply)
	}
	c.Put("STOR closed/writable", "1")
	var sum int64
	for _, f := range foreign {
		if info, err := os.Stat(filepath.Join(dir, f.name)); err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
	}
	c.Send("SITE QUOTA\r\n")
	c.Talk(strings.ReplaceAll(`
		S: 200-*
		S:  Bytes: SUM used of 1000, *
		S: ...
		S: 200 *`, "SUM", strconv.FormatInt(sum, 10)))
	for _, where := range []string{"closed", "open", "sticky"} {
		entries, err := os.ReadDir(filepath.Join(dir, where))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".ftpd-") {
				t.Errorf("left: %s/%s", where, e.Name())
			}
		}
	}
}
