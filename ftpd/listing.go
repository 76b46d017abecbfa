package ftpd

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// entry is one line of a listing to be.
type entry struct {
	name string      // as the listing shows it
	info fs.FileInfo // of what it leads to, if that is there
}

// target is what a listing command was asked to list.
type target struct {
	dir     string // the directory to read; "" for a single entry
	single  entry
	prefix  string // what NLST puts before a name, so that RETR takes it
	pattern string // names must match it; "" for all
}

// splitFlags takes the flags that clients send to LIST and NLST as if it were ls(1) off the
// argument: words that begin with "-". They are ignored, but for "d" and an end by "--".
func splitFlags(arg string) (path string, itself bool) {
	for strings.HasPrefix(arg, "-") {
		word, rest, _ := strings.Cut(arg, " ")
		arg = rest
		if word == "--" {
			break
		}
		itself = itself || !strings.HasPrefix(word, "--") && strings.Contains(word, "d")
	}
	return arg, itself
}

// hasWildcard reports whether a name may be a pattern of path.Match.
func hasWildcard(name string) bool { return strings.ContainsAny(name, "*?[") }

// locate finds out what arg means to LIST and NLST: a directory, a file, or, if no such thing is
// there, a pattern for the names in one directory. Only the last element may be a pattern, so a
// listing never reads more than one directory.
func locate(view storage.FS, cwd, arg string, itself bool) (target, error) {
	name, err := resolve(cwd, arg)
	if err != nil {
		return target{}, fs.ErrInvalid
	}
	info, err := view.Stat(name)
	switch {
	case err == nil && info.IsDir() && !itself:
		return target{dir: name, prefix: prefixOf(arg)}, nil
	case err == nil:
		if arg == "" {
			arg = "."
		}
		return target{single: entry{name: arg, info: info}}, nil
	case !errors.Is(err, fs.ErrNotExist) || !hasWildcard(path.Base(name)):
		return target{}, err
	}
	dir, pattern := path.Split(name)
	if _, err := path.Match(pattern, ""); err != nil {
		return target{}, fs.ErrNotExist // not a pattern after all: a name that isn't there
	}
	if info, err := view.Stat(path.Clean(dir)); err != nil {
		return target{}, err
	} else if !info.IsDir() {
		return target{}, storage.ErrNotDirectory
	}
	shown, _ := path.Split(arg)
	return target{dir: path.Clean(dir), pattern: pattern, prefix: shown}, nil
}

// prefixOf makes names in the directory arg names for RETR.
func prefixOf(arg string) string {
	if arg == "" || path.Clean(arg) == "." {
		return ""
	}
	return strings.TrimRight(arg, "/") + "/"
}

// walk calls each for every entry of the target. Names that can't be sent are left out, and so
// are entries that vanish meanwhile.
func (t target) walk(view storage.FS, each func(entry) error) error {
	if t.dir == "" {
		return each(t.single)
	}
	d, err := view.ReadDir(t.dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	for {
		info, err := d.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !usableName(info.Name()) || !t.matches(info.Name()) {
			continue
		}
		if err := each(entry{name: info.Name(), info: followLink(view, t.dir, info)}); err != nil {
			return err
		}
	}
}

// walkNames is walk for names alone.
func (t target) walkNames(view storage.FS, each func(string) error) error {
	if t.dir == "" {
		return each(t.single.name)
	}
	d, err := view.ReadDir(t.dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	for {
		name, err := d.NextName()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case !usableName(name) || !t.matches(name):
			continue
		}
		if err := each(name); err != nil {
			return err
		}
	}
}

func (t target) matches(name string) bool {
	if t.pattern == "" {
		return true
	}
	ok, _ := path.Match(t.pattern, name) // the pattern is valid, seen in locate
	return ok
}

// followLink returns the facts of what a symbolic link leads to (RFC 3659 section 7.5.1.5 wants
// them), or of the link itself if it leads nowhere.
func followLink(view storage.FS, dir string, info fs.FileInfo) fs.FileInfo {
	if info.Mode()&fs.ModeSymlink == 0 {
		return info
	}
	if followed, err := view.Stat(path.Join(dir, info.Name())); err == nil {
		return followed
	}
	return info
}
