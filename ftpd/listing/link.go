package listing

import (
	"io/fs"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// link describes a symbolic link in a listing. Clients must see that an entry is a link: otherwise, one that removes
// or copies a tree would follow the link to its target.
type link struct {
	is bool
	// target is the text of the link as the client sees it. It is "" if the link leads out of the home, since clients
	// must not learn what is outside of it.
	target string
}

// LookUp returns the entry that describes name in a listing. It returns the error of Lstat.
func LookUp(n wire.Names, view storage.FS, name string) (Entry, error) {
	info, err := view.Lstat(name)
	return follow(n, view, name, Entry{Name: name, Info: info}), err
}

// follow completes an entry that may be a symbolic link: it notes the link's target, and replaces Info by that of the
// target if it can be reached.
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

// factKind returns the type fact of a link (RFC 3659 section 7.5.1.5 and its errata 1500). It includes the target, as
// the examples of section 7.7.4 do, unless the target is unknown or can't be written as a fact.
func (l link) factKind() string {
	if l.target == "" || strings.ContainsAny(l.target, "; ") {
		return "OS.unix=symlink"
	}
	return "OS.unix=slink:" + l.target
}
