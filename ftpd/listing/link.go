package listing

import (
	"io/fs"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// link is what a listing tells of a symbolic link: that it is one, so that a client that removes or copies
// a tree does not go where it leads, and where that is.
type link struct {
	is bool
	// target is as the link holds it; "" if it leads out of the home, whose surroundings are nobody's
	// business.
	target string
}

// LookUp describes name for a listing.
func LookUp(n wire.Names, view storage.FS, name string) (Entry, error) {
	info, err := view.Lstat(name)
	return follow(n, view, name, Entry{Name: name, Info: info}), err
}

// follow completes an entry that may be a link: with the facts of what it leads to, if that is there.
func follow(n wire.Names, view storage.FS, name string, e Entry) Entry {
	if e.Info == nil || e.Info.Mode()&fs.ModeSymlink == 0 {
		return e
	}
	e.link.is = true
	if target, err := view.Readlink(name); err == nil {
		e.link.target = n.Show(target)
	}
	if info, err := view.Stat(name); err == nil {
		e.Info = info
	}
	return e
}

// factKind is the type fact of a link (RFC 3659 section 7.5.1.5 and its errata 1500): with the target, as the
// examples of section 7.7.4 have it, or without where that can't be written as a fact.
func (l link) factKind() string {
	if l.target == "" || strings.ContainsAny(l.target, "; ") {
		return "OS.unix=symlink"
	}
	return "OS.unix=slink:" + l.target
}
