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

// Entry is one line of a listing.
type Entry struct {
	Name string      // as it is shown to the client
	Info fs.FileInfo // of a link's target, if that can be reached
	link link
}

// Target is what a listing command lists: a single entry, or the entries of a directory. Use it in the order Open,
// Walk or WalkNames, Close.
type Target struct {
	wire.Names        // how names are shown to the client
	Dir        string // the directory to read; "" for a single entry
	Single     Entry
	Prefix     string // what NLST puts before each name, so that RETR accepts it
	pattern    string // only names that match it are listed; "" lists all

	// After Open: the directory, and its first entry; or, if it has entries in memory, the first of its pages.
	opened storage.Dir
	first  dirEntry
	pages  storage.PagedDir // nil after the last page
	page   storage.Page
}

// dirEntry is one result of a storage.Dir: the facts of an entry, only its name, or an error.
type dirEntry struct {
	info fs.FileInfo
	name string
	err  error
}

// lsFlags matches words that are flags of ls(1): the letters that servers know and clients send, and its long
// options.
var lsFlags = regexp.MustCompile(`^(-[1AaBCcdFghLlnRrSTtUuX]+|--(all|almost-all|color|directory|full-time|group-directories-first|` +
	`human-readable|recursive|reverse|sort|time|time-style)(=.*)?)$`)

// SplitFlags removes the flags of ls(1) that clients send to LIST and NLST from the argument. It ignores them, except
// for "d", which it returns as itself (list the directory itself, not its entries), and "--", which ends the flags. A
// word is part of the path if it does not have the form of a flag, or if a file of that name exists, which the
// function there reports.
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

// Locate finds out what arg means to LIST and NLST: a directory, a file, or, if neither exists, a pattern for the
// names in one directory. Only the last element of a path may be a pattern, so a listing never reads more than one
// directory. With itself, a directory is listed as a single entry. Errors: fs.ErrInvalid for a name that can't be
// resolved, storage.ErrNotDirectory, and those of the storage.
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
		return Target{}, fs.ErrNotExist // not a pattern but a name, which doesn't exist
	}
	if info, err := view.Stat(path.Clean(dir)); err != nil {
		return Target{}, err
	} else if !info.IsDir() {
		return Target{}, storage.ErrNotDirectory
	}
	shown, _ := path.Split(strings.TrimRight(arg, "/"))
	return Target{Names: n, Dir: path.Clean(dir), pattern: pattern, Prefix: n.Show(shown)}, nil
}

// prefixOf returns what a name in the directory arg needs before it to be a path for RETR.
func prefixOf(arg string) string {
	if arg == "" || path.Clean(arg) == "." {
		return ""
	}
	return strings.TrimRight(arg, "/") + "/"
}

// Open opens the directory and reads its first entry, or only its name with namesOnly. A directory that can't be read
// thus fails before the client gets a reply. After a success the caller must call Close.
func (t *Target) Open(view storage.FS, namesOnly bool) error {
	if t.Dir == "" {
		return nil
	}
	d, err := view.ReadDir(t.Dir)
	if err != nil {
		return err
	}
	t.opened = d
	if pages, ok := d.(storage.PagedDir); ok && !namesOnly {
		if t.page = pages.NextPage(); t.page != nil {
			t.pages = pages
			return nil
		}
	}
	t.first = next(d, namesOnly)
	if t.first.err != nil && !errors.Is(t.first.err, io.EOF) {
		t.Close()
		return t.first.err
	}
	return nil
}

// Close closes the directory. It may be called again.
func (t *Target) Close() {
	if t.opened != nil {
		_ = t.opened.Close()
		t.opened = nil
	}
}

// next reads the next entry of d, or with nameOnly only its name, which costs less.
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

// Walk calls each for every entry of the target, which the caller has opened with namesOnly false. It stops at the
// first error of each or of the directory, and returns it. Entries that vanish meanwhile are left out.
func (t *Target) Walk(view storage.FS, each func(Entry) error) error {
	if t.Dir == "" {
		return each(t.Single)
	}
	for page := t.takePage(); page != nil; page = t.takePage() {
		var failed error
		page.Each(func(info fs.FileInfo) {
			if failed == nil && t.matches(info.Name()) {
				failed = each(Entry{Name: t.Show(info.Name()), Info: info})
			}
		})
		if failed != nil {
			return failed
		}
	}
	return t.entries(false, func(e dirEntry) error {
		entry := Entry{Name: t.Show(e.name), Info: e.info}
		if e.info.Mode()&fs.ModeSymlink != 0 {
			entry = follow(t.Names, view, path.Join(t.Dir, e.name), entry)
		}
		return each(entry)
	})
}

// takePage returns the next page of entries that are in memory, or nil. After the last one, first is the first of the
// other entries.
func (t *Target) takePage() storage.Page {
	if t.pages == nil {
		return nil
	}
	page := t.page
	if page != nil {
		t.page = t.pages.NextPage()
	} else {
		t.pages, t.first = nil, next(t.opened, false)
	}
	return page
}

// WalkNames is like Walk, but it passes only the names, as shown to the client. The caller has opened the target with
// namesOnly true.
func (t *Target) WalkNames(each func(string) error) error {
	if t.Dir == "" {
		return each(t.Single.Name)
	}
	return t.entries(true, func(e dirEntry) error { return each(t.Show(e.name)) })
}

// entries calls each for every entry of the directory that matches the pattern.
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
	ok, _ := path.Match(t.pattern, name) // Locate has checked the pattern
	return ok
}
