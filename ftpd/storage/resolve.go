package storage

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// ResolveFS is an FS in which, because of links, a file may have several names.
type ResolveFS interface {
	// Resolve returns the name with all links replaced by their targets; a link in the last place is kept unless last
	// is set. Parts that do not exist are kept as they are.
	Resolve(name string, last bool) (string, error)
	// Place returns the path of the view's home below the root of the storage, without links.
	Place() string
}

// Resolve calls v.Resolve, or returns name if v is no ResolveFS.
func Resolve(v FS, name string, last bool) (string, error) {
	if r, ok := v.(ResolveFS); ok {
		return r.Resolve(name, last)
	}
	return name, nil
}

// Place calls v.Place, or returns home if v is no ResolveFS.
func Place(v FS, home string) string {
	if r, ok := v.(ResolveFS); ok {
		return r.Place()
	}
	return home
}

// Resolve replaces the links in a name by their targets; see ResolveFS.
func (v *view) Resolve(name string, last bool) (string, error) {
	p, err := inRoot(name)
	if err == nil {
		p, err = resolve(v.root, p, last)
	}
	return path.Join("/", p), failure("resolve", name, err)
}

// Place returns the path that the home had when the view was opened.
func (v *view) Place() string { return v.place }

// resolve does the same as Resolve, for a path within a root.
func resolve(root *os.Root, p string, last bool) (string, error) {
	done, links := ".", 0
	for rest := p; rest != "" && rest != "."; {
		part, more, _ := strings.Cut(rest, "/")
		rest = more
		switch part {
		case "", ".":
			continue
		case "..":
			done = path.Dir(done) // never leads out of the root
			continue
		}
		next := path.Join(done, part)
		if rest == "" && !last {
			return next, nil
		}
		info, err := root.Lstat(next)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, ErrNotDirectory):
			return path.Join(next, rest), nil
		case err != nil:
			return "", err
		case info.Mode()&fs.ModeSymlink == 0:
			done = next
			continue
		}
		if links++; links > maxLinks*5 {
			return "", syscall.ELOOP
		}
		link, err := root.Readlink(next)
		switch {
		case err != nil:
			return "", err
		case path.IsAbs(link):
			return "", escapeError{}
		}
		rest = link + "/" + rest
		last = last || more != ""
		if more == "" {
			rest = link
		}
	}
	return done, nil
}
