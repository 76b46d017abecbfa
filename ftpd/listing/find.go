package listing

import (
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// CheckDirectory returns storage.ErrNotDirectory if arg can only name a directory (see wire.NamesDirectory) and name
// is something else. It returns nil if there is nothing at name.
func CheckDirectory(view storage.FS, name, arg string) error {
	if !wire.NamesDirectory(arg) {
		return nil
	}
	if info, err := view.Stat(name); err == nil && !info.IsDir() {
		return storage.ErrNotDirectory
	}
	return nil
}

// maxVariants bounds the number of elements of a path for which Find tries other names.
const maxVariants = 16

// Find resolves a path that a client has sent, like wire.Resolve, to the name of the file that it stands for. If
// nothing has exactly that name, Find looks, element by element, for a name that Names would show as the one that was
// sent. If it finds none, it keeps the element as it was sent.
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
