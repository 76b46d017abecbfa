package listing

import (
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// CheckDirectory reports storage.ErrNotDirectory if arg can only name a directory and something else is at name.
func CheckDirectory(view storage.FS, name, arg string) error {
	if !wire.NamesDirectory(arg) {
		return nil
	}
	if info, err := view.Stat(name); err == nil && !info.IsDir() {
		return storage.ErrNotDirectory
	}
	return nil
}

// maxVariants bounds for how many parts of a path more than one way to read them is tried.
const maxVariants = 16

// Find resolves what a client has sent for a path, as resolve does, to what is there: by the name itself, or else by
// one that is shown as this.
func Find(n wire.Names, view storage.FS, cwd, arg string) (string, error) {
	name, err := wire.Resolve(cwd, n.Read(arg))
	if err != nil || view == nil || !strings.Contains(name, "%") && (n.Charset == nil || wire.Plain(name)) {
		return name, err
	}
	if _, err := view.Lstat(name); err == nil || name == "/" {
		return name, nil
	}
	found, tried := "", 0
	for part := range strings.SplitSeq(name[1:], "/") {
		best := found + "/" + part
		if others := n.Variants(part); len(others) > 0 && tried < maxVariants {
			tried++
			if _, err := view.Lstat(best); err != nil {
				for _, other := range others {
					if _, err := view.Lstat(found + "/" + other); err == nil {
						best = found + "/" + other
						break
					}
				}
			}
		}
		found = best
	}
	return found, nil
}
