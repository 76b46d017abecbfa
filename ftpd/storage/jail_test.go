package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// jail returns a home, a directory next to it that must never be touched, and a link to that directory in the home.
func jail(t *testing.T) (v FS, home, outside string) {
	t.Helper()
	v, home = newHome(t)
	outside = filepath.Join(filepath.Dir(home), "outside")
	must(t, os.Mkdir(outside, 0o700), os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600))
	return v, home, outside
}

func wantUntouched(t *testing.T, outside string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(outside, "secret"))
	if err != nil || string(data) != "secret" {
		t.Errorf("the file outside holds %q (%v)", data, err)
	}
	if got := onDisk(t, outside); len(got) != 1 {
		t.Errorf("outside there is now %q", got)
	}
	info, err := os.Stat(filepath.Join(outside, "secret"))
	if err != nil || info.Mode() != 0o600 || info.ModTime().Year() < 2020 {
		t.Errorf("the file outside has mode %v and time %v (%v)", info.Mode(), info.ModTime(), err)
	}
}

// attacks tries all ways to reach the file dir/secret, or to create something in dir, and returns the errors.
func attacks(v FS, dir string) map[string]error {
	long := time.Unix(0, 0)
	_, stat := v.Stat(dir + "/secret")
	f, open := v.Open(dir + "/secret")
	if open == nil {
		open = errors.Join(read(f), f.Close())
	}
	d, list := v.ReadDir(dir)
	if list == nil {
		_, list = d.Next()
		list = errors.Join(list, d.Close())
	}
	return map[string]error{
		"Stat": stat, "Open": open, "ReadDir": list,
		"Create":    upload(v, dir+"/secret", "overwritten", CreateOptions{}),
		"Append":    upload(v, dir+"/secret", "appended", CreateOptions{Append: true}),
		"Resume":    upload(v, dir+"/secret", "resumed", CreateOptions{Offset: 1}),
		"New":       upload(v, dir+"/new", "made", CreateOptions{}),
		"Exclusive": upload(v, dir+"/new", "made", CreateOptions{Exclusive: true}),
		"Mkdir":     v.Mkdir(dir + "/newdir"),
		"Remove":    v.Remove(dir + "/secret"),
		"Rename":    v.Rename(dir+"/secret", "/stolen"),
		"Rename to": v.Rename("/mine", dir+"/planted"),
		"Chmod":     v.Chmod(dir+"/secret", 0o777),
		"Time":      v.SetModTime(dir+"/secret", long),
	}
}

func read(f File) error {
	data, err := io.ReadAll(f)
	if strings.Contains(string(data), "secret") {
		return errors.New("READ THE SECRET")
	}
	return err
}

func TestLinksOutOfTheHome(t *testing.T) {
	v, home, outside := jail(t)
	must(t, upload(v, "/mine", "", CreateOptions{}), v.Mkdir("/sub"))
	for name, target := range map[string]string{"absolute": outside, "relative": "../outside", "sub/deep": "../../outside", "by-link": "absolute", "root": "/"} {
		must(t, os.Symlink(target, filepath.Join(home, name)))
	}
	for _, dir := range []string{"/absolute", "/relative", "/sub/deep", "/by-link", "/root"} {
		for what, err := range attacks(v, dir) {
			wantErr(t, what+" "+dir, err, fs.ErrPermission)
		}
	}
	// A link to the file itself must not reach it, either.
	must(t, os.Symlink(filepath.Join(outside, "secret"), filepath.Join(home, "link")),
		os.Symlink("../outside/absent", filepath.Join(home, "dangling")))
	_, err := v.Open("/link")
	wantErr(t, "Open", err, fs.ErrPermission)
	for _, name := range []string{"/link", "/dangling"} {
		for _, o := range []CreateOptions{{}, {Append: true}, {Offset: 1}} {
			wantErr(t, "Create", upload(v, name, "x", o), fs.ErrPermission)
		}
	}
	wantErr(t, "Exclusive on a link", upload(v, "/link", "x", CreateOptions{Exclusive: true}), fs.ErrExist)
	wantErr(t, "Chmod", v.Chmod("/link", 0o777), fs.ErrPermission)
	wantErr(t, "SetModTime", v.SetModTime("/link", time.Unix(0, 0)), fs.ErrPermission)
	// Where the links lead must not be revealed, either.
	for _, name := range []string{"/absolute", "/relative", "/sub/deep", "/by-link", "/root", "/link"} {
		target, err := v.Readlink(name)
		if wantErr(t, "Readlink", err, fs.ErrPermission); target != "" {
			t.Errorf("Readlink told %q", target)
		}
	}
	_, err = v.Readlink("/mine")
	wantErr(t, "Readlink of a file", err, fs.ErrInvalid)
	// It must be possible to move and remove the links themselves.
	wantErr(t, "Rmdir of a link", v.Rmdir("/absolute"), ErrLink)
	must(t, v.Rename("/link", "/sub/link"), v.Remove("/sub/link"), v.Remove("/absolute"))
	wantUntouched(t, outside)
}

func TestLinksInsideTheHome(t *testing.T) {
	v, home, _ := jail(t)
	must(t, v.Mkdir("/d"), v.Mkdir("/e"), upload(v, "/d/f", "content", CreateOptions{}),
		os.Symlink("d/f", filepath.Join(home, "file")), os.Symlink("../d", filepath.Join(home, "e/dir")),
		os.Symlink("../file", filepath.Join(home, "d/twice")), os.Symlink("new", filepath.Join(home, "d/dangling")),
		os.Symlink("loop", filepath.Join(home, "loop")), os.Symlink("../back", filepath.Join(home, "d/up")))
	for _, name := range []string{"/file", "/e/dir/f", "/d/twice", "/e/dir/twice"} {
		if got := content(t, v, name); got != "content" {
			t.Errorf("%s holds %q", name, got)
		}
	}
	if info, err := v.Stat("/file"); err != nil || !info.Mode().IsRegular() || info.Name() != "file" {
		t.Errorf("Stat of a link: %v, %v", info, err)
	}
	d, err := v.ReadDir("/e/dir")
	must(t, err)
	for info, err := d.Next(); err == nil; info, err = d.Next() {
		if isLink := info.Mode()&fs.ModeSymlink != 0; isLink != (info.Name() != "f") {
			t.Errorf("listed: %s %v", info.Name(), info.Mode())
		}
	}
	must(t, d.Close())
	// Writing through a link must change its target, and leave the link.
	must(t, upload(v, "/d/twice", "new", CreateOptions{}), upload(v, "/d/twice", "er", CreateOptions{Append: true}), upload(v, "/d/dangling", "made", CreateOptions{}))
	if got := content(t, v, "/d/f") + content(t, v, "/d/new"); got != "newermade" {
		t.Errorf("the files behind the links hold %q", got)
	}
	if info, err := os.Lstat(filepath.Join(home, "d/twice")); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is now %v (%v)", info.Mode(), err)
	}
	// ".." after a link must lead to the parent of the link's target.
	for _, o := range []CreateOptions{{}, {Append: true}, {Offset: 1}, {Offset: 5}} {
		must(t, upload(v, "/e/dir/up", "made", o))
	}
	if got := content(t, v, "/back"); got != "mmademade" {
		t.Errorf("the file behind the link holds %q", got)
	}
	if err := upload(v, "/loop", "x", CreateOptions{}); Classify(err) != KindInvalid {
		t.Errorf("upload to a loop: %v", err)
	}
	if _, err := v.Stat("/loop"); Classify(err) != KindInvalid {
		t.Errorf("Stat of a loop: %v", err)
	}
}

// While another process swaps a directory for a link to the outside and back, the outside must not be touched.
func TestSwapRace(t *testing.T) {
	v, home, outside := jail(t)
	must(t, upload(v, "/mine", "", CreateOptions{}), v.Mkdir("/real"), os.Symlink(outside, filepath.Join(home, "link")))
	x, link, dir := filepath.Join(home, "x"), filepath.Join(home, "link"), filepath.Join(home, "real")
	stop := make(chan struct{})
	var swapper sync.WaitGroup
	swapper.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			for _, other := range []string{dir, link} {
				if err := errors.Join(os.Rename(other, x), os.Rename(x, other)); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	defer swapper.Wait()
	defer close(stop)
	for range 150 {
		for what, err := range attacks(v, "/x") {
			// Operations inside the home may succeed or fail; only the outside counts.
			if err != nil && strings.Contains(err.Error(), "SECRET") {
				t.Fatalf("%s: %v", what, err)
			}
		}
		d, err := v.ReadDir("/x")
		if err != nil {
			continue
		}
		for info, err := d.Next(); err == nil; info, err = d.Next() {
			if info.Name() == "secret" && info.Size() == int64(len("secret")) {
				t.Error("the outside was listed")
			}
		}
		must(t, d.Close())
	}
	wantUntouched(t, outside)
}
