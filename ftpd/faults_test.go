package ftpd_test

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// faults is a storage whose operations fail as a test demands. An operation that fails has no effect.
type faults struct {
	storage.Backend
	mu   sync.Mutex
	fail map[string]error
}

func (f *faults) set(op string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = map[string]error{op: err}
}

func (f *faults) of(op, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fail[op]; err != nil {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	return nil
}

func (f *faults) Home(home string, create bool) (storage.FS, error) {
	v, err := f.Backend.Home(home, create)
	if err != nil {
		return nil, err
	}
	return &faultyFS{v, f}, nil
}

type faultyFS struct {
	storage.FS
	f *faults
}

func (v *faultyFS) Open(name string) (storage.File, error) {
	file, err := v.FS.Open(name)
	if err = errors.Join(v.f.of("open", name), err); err != nil {
		return nil, err
	}
	return &faultyFile{file, v.f}, nil
}

func (v *faultyFS) Create(name string, o storage.CreateOptions) (storage.Upload, error) {
	if err := v.f.of("create", name); err != nil {
		return nil, err
	}
	u, err := v.FS.Create(name, o)
	if err != nil {
		return nil, err
	}
	return &faultyUpload{u, v.f}, nil
}

func (v *faultyFS) ReadDir(name string) (storage.Dir, error) {
	if err := v.f.of("readdir", name); err != nil {
		return nil, err
	}
	return v.FS.ReadDir(name)
}

func (v *faultyFS) Mkdir(name string) error {
	if err := v.f.of("mkdir", name); err != nil {
		return err
	}
	return v.FS.Mkdir(name)
}

func (v *faultyFS) Remove(name string) error {
	if err := v.f.of("remove", name); err != nil {
		return err
	}
	return v.FS.Remove(name)
}

func (v *faultyFS) Rename(from, to string) error {
	if err := v.f.of("rename", from); err != nil {
		return err
	}
	return v.FS.Rename(from, to)
}

type faultyFile struct {
	storage.File
	f *faults
}

func (f *faultyFile) Read(p []byte) (int, error) {
	if err := f.f.of("read", ""); err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

type faultyUpload struct {
	storage.Upload
	f *faults
}

func (u *faultyUpload) Writer() io.Writer { return faultyWriter{u.Upload.Writer(), u.f} }

func (u *faultyUpload) Commit() error {
	if err := u.f.of("fsync", ""); err != nil {
		return errors.Join(err, u.Upload.Abort())
	}
	return u.Upload.Commit()
}

type faultyWriter struct {
	io.Writer
	f *faults
}

func (w faultyWriter) Write(p []byte) (int, error) {
	if err := w.f.of("write", ""); err != nil {
		return 0, err
	}
	return w.Writer.Write(p)
}

// A failure of the disk must be reported as what it is, at the step where it happens: nothing is acknowledged, the
// old file stays, the session continues, and the quota is correct.
func TestStorageFaults(t *testing.T) {
	disk := &faults{}
	s := ftptest.StartWith(t, ftpd.Options{Storage: func(b storage.Backend) storage.Backend {
		disk.Backend = b
		return disk
	}}, func(c *config.Config) { c.Users[0].Quota.Bytes = 1000 })
	s.Write(t, "old", "old")
	c := ftptest.Login(t, s.Addr, "alice")
	for errno, codes := range map[syscall.Errno][2]string{ // before a transfer, and during it
		syscall.EIO:    {"451", "451"},
		syscall.ESTALE: {"451", "451"},
		syscall.ENOSPC: {"452", "452"},
		syscall.EDQUOT: {"552", "552"},
		syscall.EROFS:  {"550", "451"},
	} {
		for _, command := range []string{"STOR old", "STOR new", "APPE old", "APPE new", "STOU"} {
			for i, op := range []string{"create", "write", "fsync"} {
				disk.set(op, errno)
				data := c.Data()
				reply := c.Do(command)
				if reply[:3] == "150" {
					_, _ = io.WriteString(data, "content") // the upload may be refused while it runs
					_ = data.Close()
					reply = c.Reply()
				}
				if want := codes[min(i, 1)]; reply[:3] != want {
					t.Errorf("%v at %s of %s: %s", errno, op, command, reply)
				}
				if files := s.Files(t); len(files) != 1 || s.Read(t, "old") != "old" {
					t.Errorf("%v at %s of %s: there is %q", errno, op, command, files)
				}
			}
		}
		for op, command := range map[string]string{"mkdir": "MKD d", "remove": "DELE old"} {
			disk.set(op, errno)
			c.Must(command, codes[0])
		}
		disk.set("rename", errno)
		c.Must("RNFR old", "350")
		c.Must("RNTO new", codes[0])
	}
	for _, errno := range []syscall.Errno{syscall.EIO, syscall.ESTALE} {
		for op, commands := range map[string][]string{"open": {"RETR old", "HASH old"}, "read": {"RETR old", "HASH old"}, "readdir": {"LIST", "NLST", "MLSD"}} {
			for _, command := range commands {
				disk.set(op, errno)
				data := c.Data()
				reply := c.Do(command)
				if reply[:3] == "150" {
					got, _ := io.ReadAll(data)
					if reply = c.Reply(); len(got) > 0 {
						t.Errorf("%s: got %q", command, got)
					}
				}
				if reply[:3] != "451" {
					t.Errorf("%v at %s of %s: %s", errno, op, command, reply)
				}
				c.Do("ABOR") // closes the data connection, which HASH does not use
			}
		}
	}
	disk.set("", nil)
	for _, command := range []string{"STOR old", "APPE old", "STOR new"} {
		if reply := c.Put(command, strings.Repeat("x", 300)); reply[:3] != "226" {
			t.Errorf("afterwards %s: %s", command, reply)
		}
	}
	c.Send("SITE QUOTA\r\n")
	c.Talk(`
		S: 200-*
		S:  Bytes: 900 used of 1000, 100 left
		S: ...
		S: 200 *`)
}
