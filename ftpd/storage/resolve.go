package storage

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// Resolver is an FS in which one thing may have several names, because of links.
type Resolver interface {
	// Resolve returns the name without links on the way, nor in the last place if last is set.
	// What is not there is taken as it is.
	Resolve(name string, last bool) (string, error)
	// Place is where the view's home is below the root of the storage, without links.
	Place() string
}

// Resolve is v's, or name itself if v knows no links.
func Resolve(v FS, name string, last bool) (string, error) {
	if r, ok := v.(Resolver); ok {
		return r.Resolve(name, last)
	}
	return name, nil
}

// Place is v's, or home if v knows no links.
func Place(v FS, home string) string {
	if r, ok := v.(Resolver); ok {
		return r.Place()
	}
	return home
}

// Resolve follows the links of a name.
func (v *view) Resolve(name string, last bool) (string, error) {
	p, err := inRoot(name)
	if err == nil {
		p, err = resolve(v.root, p, last)
	}
	return path.Join("/", p), failure("resolve", name, err)
}

// Place is where the home was when the view was opened.
func (v *view) Place() string { return v.place }

// resolve is Resolve for a path within a root.
func resolve(root *os.Root, p string, last bool) (string, error) {
	done, links := ".", 0
	for rest := p; rest != "" && rest != "."; {
		part, more, _ := strings.Cut(rest, "/")
		rest = more
		switch part {
		case "", ".":
			continue
		case "..":
			done = path.Dir(done) // a root lets nothing out
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
