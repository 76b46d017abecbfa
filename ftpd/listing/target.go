package listing

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// Entry is one line of a listing to be.
type Entry struct {
	Name string      // as the listing shows it
	Info fs.FileInfo // of what it leads to, if that is there
	link link
}

// Target is what a listing command was asked to list.
type Target struct {
	wire.Names        // how names are shown
	Dir        string // the directory to read; "" for a single entry
	Single     Entry
	Prefix     string // what NLST puts before a name, so that RETR takes it
	pattern    string // names must match it; "" for all

	// After open: the directory, and what it gave first.
	opened storage.Dir
	first  dirEntry
}

// dirEntry is what a storage.Dir gave: its facts, or its name alone, or why there is none.
type dirEntry struct {
	info fs.FileInfo
	name string
	err  error
}

// lsFlags are words that are flags of ls(1): of its letters those that servers know and clients send, and its
// long options.
var lsFlags = regexp.MustCompile(`^(-[1AaBCcdFghLlnRrSTtUuX]+|--(all|almost-all|color|directory|full-time|group-directories-first|` +
	`human-readable|recursive|reverse|sort|time|time-style)(=.*)?)$`)

// SplitFlags takes the flags that clients send to LIST and NLST as if it were ls(1) off the argument. They are
// ignored, but for "d" and an end by "--". What is there by the name of a flag is a name, as is what no flag
// has the form of.
func SplitFlags(arg string, there func(string) bool) (path string, itself bool) {
	for strings.HasPrefix(arg, "-") {
		word, rest, _ := strings.Cut(arg, " ")
		if word == "--" {
			return rest, itself
		}
		if !lsFlags.MatchString(word) || there(arg) {
			break
		}
		arg = rest
		itself = itself || word == "--directory" || !strings.HasPrefix(word, "--") && strings.Contains(word, "d")
	}
	return arg, itself
}

// hasWildcard reports whether a name may be a pattern of path.Match.
func hasWildcard(name string) bool { return strings.ContainsAny(name, "*?[") }

// Locate finds out what arg means to LIST and NLST: a directory, a file, or, if no such thing is
// there, a pattern for the names in one directory. Only the last element may be a pattern, so a
// listing never reads more than one directory.
func Locate(view storage.FS, n wire.Names, cwd, arg string, itself bool) (Target, error) {
	name, err := Find(n, view, cwd, arg)
	if err != nil {
		return Target{}, fs.ErrInvalid
	}
	arg = n.Read(arg)
	e, err := LookUp(n, view, name)
	if err == nil {
		err = CheckDirectory(view, name, arg)
	}
	switch {
	case err == nil && e.Info.IsDir() && !itself:
		return Target{Names: n, Dir: name, Prefix: n.Show(prefixOf(arg))}, nil
	case err == nil:
		if e.Name = n.Show(arg); arg == "" {
			e.Name = "."
		}
		return Target{Names: n, Single: e}, nil
	case !errors.Is(err, fs.ErrNotExist) || !hasWildcard(path.Base(name)):
		return Target{}, err
	}
	dir, pattern := path.Split(name)
	if _, err := path.Match(pattern, ""); err != nil {
		return Target{}, fs.ErrNotExist // not a pattern after all: a name that isn't there
	}
	if info, err := view.Stat(path.Clean(dir)); err != nil {
		return Target{}, err
	} else if !info.IsDir() {
		return Target{}, storage.ErrNotDirectory
	}
	shown, _ := path.Split(strings.TrimRight(arg, "/"))
	return Target{Names: n, Dir: path.Clean(dir), pattern: pattern, Prefix: n.Show(shown)}, nil
}

// prefixOf makes names in the directory arg names for RETR.
func prefixOf(arg string) string {
	if arg == "" || path.Clean(arg) == "." {
		return ""
	}
	return strings.TrimRight(arg, "/") + "/"
}

// Open opens the directory and reads its first entry, or only its name, so that what can't be read is refused
// before anything is said of it. After a success the caller must call close.
func (t *Target) Open(view storage.FS, namesOnly bool) error {
	if t.Dir == "" {
		return nil
	}
	d, err := view.ReadDir(t.Dir)
	if err != nil {
		return err
	}
	t.opened, t.first = d, next(d, namesOnly)
	if t.first.err != nil && !errors.Is(t.first.err, io.EOF) {
		t.Close()
		return t.first.err
	}
	return nil
}

func (t *Target) Close() {
	if t.opened != nil {
		_ = t.opened.Close()
		t.opened = nil
	}
}

func next(d storage.Dir, nameOnly bool) dirEntry {
	if nameOnly {
		name, err := d.NextName()
		return dirEntry{name: name, err: err}
	}
	info, err := d.Next()
	if err != nil {
		return dirEntry{err: err}
	}
	return dirEntry{info: info, name: info.Name()}
}

// Walk calls each for every entry of the target, which was opened for that. Entries that vanish meanwhile are left
// out.
func (t *Target) Walk(view storage.FS, each func(Entry) error) error {
	if t.Dir == "" {
		return each(t.Single)
	}
	return t.entries(false, func(e dirEntry) error {
		return each(follow(t.Names, view, path.Join(t.Dir, e.name), Entry{Name: t.Show(e.name), Info: e.info}))
	})
}

// WalkNames is walk for names alone.
func (t *Target) WalkNames(each func(string) error) error {
	if t.Dir == "" {
		return each(t.Single.Name)
	}
	return t.entries(true, func(e dirEntry) error { return each(t.Show(e.name)) })
}

// entries calls each for every entry of the directory that matches.
func (t *Target) entries(namesOnly bool, each func(dirEntry) error) error {
	for e := t.first; ; e = next(t.opened, namesOnly) {
		switch {
		case errors.Is(e.err, io.EOF):
			return nil
		case e.err != nil:
			return e.err
		case !t.matches(e.name):
			continue
		}
		if err := each(e); err != nil {
			return err
		}
	}
}

func (t *Target) matches(name string) bool {
	if t.pattern == "" {
		return true
	}
	ok, _ := path.Match(t.pattern, name) // the pattern is valid, seen in locate
	return ok
}
