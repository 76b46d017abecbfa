package ftpd_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

const fullDiskEnv = "FTPD_TEST_FULL_DISK"

// Uploads that fill the disk must be refused for that reason and leave nothing behind, so that smaller ones still
// fit. The disk is a tmpfs in a mount namespace of a child process, which is this test itself.
func TestHostileFullDisk(t *testing.T) {
	if dir := os.Getenv(fullDiskEnv); dir != "" {
		if err := syscall.Mount("none", dir, "tmpfs", 0, "size=4m"); err != nil {
			t.Fatal(err)
		}
		fillUp(t, dir)
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), exe, "-test.run=^TestHostileFullDisk$")
	child.Env = append(os.Environ(), fullDiskEnv+"="+t.TempDir())
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	output, err := child.CombinedOutput()
	if errors.Is(err, fs.ErrPermission) {
		t.Skipf("NOT TESTED: this machine allows no user namespaces: %v", err)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

func fillUp(t *testing.T, dir string) {
	s := besiege(t, func(c *config.Config) { c.Storage.Root = dir })
	s.Root = dir
	s.Write(t, "alice/old", "old")
	s.withstands(t, func(t *testing.T) {
		c := s.attacker(t)
		large := strings.Repeat("x", 8<<20)
		for _, command := range []string{"STOR old", "STOR new", "APPE old", "APPE new", "STOU", "REST 1\r\nSTOR old"} {
			if before, after, found := strings.Cut(command, "\r\n"); found {
				c.Must(before, "350")
				command = after
			}
			data := c.Data()
			c.Must(command, "150")
			_, _ = io.WriteString(data, large) // the connection may be reset
			_ = data.Close()
			c.Talk("S: 452 *disk is full*")
			if got := c.Get("NLST"); got != "old\r\n" || s.Read(t, "alice/old") != "old" {
				t.Errorf("%s: there is %q", command, got)
			}
			s.unharmed()
		}
		// Two uploads at once: the other lacks the space that the one still holds.
		data := c.Data()
		c.Must("STOR most", "150")
		if _, err := io.WriteString(data, large[:3<<20]); err != nil {
			t.Fatal(err)
		}
		second := s.attacker(t)
		other := second.Data()
		second.Must("STOR rest", "150")
		_, _ = io.WriteString(other, large[:2<<20])
		_ = other.Close()
		reply := second.Reply()
		_ = data.Close()
		if replies := []string{reply[:3], c.Reply()[:3]}; replies[0] != "452" || replies[1] != "226" {
			t.Errorf("got %q", replies)
		}
		c.Must("DELE most", "250")
	})
}

// A full quota must refuse whole uploads, and must affect only its user.
func TestHostileFullQuota(t *testing.T) {
	s := besiege(t, func(c *config.Config) { c.Users[0].Quota = config.Quota{Bytes: 1 << 20, Files: 10} })
	s.withstands(t, func(t *testing.T) {
		c := s.attacker(t)
		if reply := c.Put("STOR old", "old"); reply[:3] != "226" {
			t.Error(reply)
		}
		for _, command := range []string{"STOR old", "STOR new", "APPE old", "APPE new", "STOU"} {
			data := c.Data()
			c.Must(command, "150")
			_, _ = io.WriteString(data, strings.Repeat("x", 2<<20)) // the connection may be reset
			_ = data.Close()
			c.Talk("S: 552 *quota*")
			if got := c.Get("NLST"); got != "old\r\n" || s.Read(t, "alice/old") != "old" {
				t.Errorf("%s: there is %q", command, got)
			}
			s.unharmed()
		}
		for i := range 9 {
			c.Must(fmt.Sprint("MKD ", i), "257")
		}
		c.Must("MKD 9", "552")
		c.Data()
		c.Must("STOR 9", "552")
		if reply := c.Put("STOR old", strings.Repeat("x", 1<<20)); reply[:3] != "226" { // all that was refused must have been given back
			t.Error(reply)
		}
	})
}

// If a directory, or the home itself, vanishes during an upload, a download and a session, each must fail cleanly.
func TestHostileVanishedDirectory(t *testing.T) {
	s := besiege(t)
	s.withstands(t, func(t *testing.T) {
		for _, gone := range []string{"alice/dir", "alice"} {
			big := strings.Repeat("0123456789abcdef", 1<<18)
			s.Write(t, "alice/dir/big", big)
			s.Write(t, "alice/dir/old", "old")
			up, app, down, idle := s.attacker(t), s.attacker(t), s.attacker(t), s.attacker(t)
			idle.Must("CWD dir", "250")
			upload := up.Data()
			up.Must("STOR dir/new", "150")
			_, _ = io.WriteString(upload, "half")
			appended := app.Data()
			app.Must("APPE dir/old", "150")
			_, _ = io.WriteString(appended, "half")
			download := down.Data()
			down.Must("RETR dir/big", "150")
			got := make([]byte, len(big))
			if _, err := io.ReadFull(download, got[:1000]); err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(filepath.Join(s.Root, gone)); err != nil {
				t.Fatal(err)
			}
			_ = upload.Close()
			_ = appended.Close()
			up.Talk("S: 4*")  // neither upload was stored
			app.Talk("S: 4*") // in a directory that no client could find
			if _, err := io.ReadFull(download, got[1000:]); err != nil || string(got) != big {
				t.Errorf("the download broke off: %v", err) // an open file exists until it is closed
			}
			down.Talk("S: 226 *")
			for _, command := range []string{"LIST", "NLST", "MLSD", "STOR x", "RETR big"} {
				idle.Data()
				idle.Must(command, "550")
			}
			for _, command := range []string{"MKD x", "DELE x", "CWD .", "SIZE x"} {
				idle.Must(command, "550")
			}
			s.unharmed()
			if got := s.Read(t, "alice/dir/new"); got != "(absent)" {
				t.Errorf("there is %q", got)
			}
		}
	})
}

// A file that shrinks during its downloads must end each of them with an error reply.
func TestHostileShrinkingFile(t *testing.T) {
	s := besiege(t)
	s.withstands(t, func(t *testing.T) {
		for _, typ := range []string{"TYPE I", "TYPE A"} {
			s.Write(t, "alice/file", strings.Repeat("x", 32<<20))
			c := s.attacker(t)
			c.Must(typ, "200")
			data := c.Data()
			c.Must("RETR file", "150")
			if _, err := io.ReadFull(data, make([]byte, 100)); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(filepath.Join(s.Root, "alice/file"), 1000); err != nil {
				t.Fatal(err)
			}
			s.unharmed()
			_, err := io.Copy(io.Discard, data)
			reply := c.Reply()
			switch {
			case err != nil, typ == "TYPE I" && reply[:3] != "426":
				t.Errorf("%s: %v, %s", typ, err, reply)
			case typ != "TYPE I" && reply[:3] != "226" && reply[:3] != "426": // the size of text is not announced
				t.Errorf("%s: %s", typ, reply)
			}
		}
	})
}
