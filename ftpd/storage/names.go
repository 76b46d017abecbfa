package storage

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/ftp-operator/ftp-operator/internal/reserved"
)

// Users can neither see nor use reserved names, which belong to uploads that are not complete.
const (
	uploadPrefix = reserved.Prefix + "upload-" // a temporary file that holds an upload
	appendPrefix = reserved.Prefix + "append-" // a journal
)

// inRoot converts a name of FS to a path relative to the home: "/a/b" to "a/b", "/" to ".".
func inRoot(name string) (string, error) {
	if name == "" || name[0] != '/' || path.Clean(name) != name || strings.IndexByte(name, 0) >= 0 {
		return "", fs.ErrInvalid
	}
	if hidden(name) {
		return "", fs.ErrNotExist
	}
	if name == "/" {
		return ".", nil
	}
	return name[1:], nil
}

// newInRoot is like inRoot, for a name that is to be created or replaced. Only the last part of it is new.
func newInRoot(name string) (string, error) {
	if hidden(name) {
		return "", fs.ErrPermission
	}
	if !harmless(path.Base(name)) {
		return "", fs.ErrInvalid
	}
	return inRoot(name)
}

// harmless reports whether a new name is safe to list and print. It has no control characters, which can command a
// terminal or end a line, and no characters that change the direction of text, with which "gpj.exe" can look like
// "exe.jpg". The direction marks U+200E, U+200F and U+061C change no direction and are allowed: names in Hebrew or
// Arabic have them, and names copied from programs. Names that are special to a shell, such as those with a leading
// blank or dash, are allowed, too: they are common, and a matter of quoting.
//
// Bytes that are not UTF-8, which old devices send, are stored as they are. Not allowed are those that are control
// characters on a terminal with one byte per character, Telnet's IAC, and overlong UTF-8 encodings of ASCII.
func harmless(base string) bool {
	for base != "" {
		r, size := utf8.DecodeRuneInString(base)
		if r == utf8.RuneError && size == 1 {
			overlong := (base[0] == 0xc0 || base[0] == 0xc1) && len(base) > 1 && base[1]&0xc0 == 0x80
			if base[0] < 0xa0 || base[0] == 0xff || overlong {
				return false
			}
		} else if unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) || turns(r) {
			return false
		}
		base = base[size:]
	}
	return true
}

// turns reports whether r embeds, overrides or isolates a direction of text, or ends such a part (Unicode standard
// annex 9 section 2).
func turns(r rune) bool { return '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069' }

// hidden reports whether a part of the path has a reserved name.
func hidden(name string) bool {
	return reserved.Path(name)
}

// split splits a path into directory and last part. Unlike package path it does not clean the path: the root must
// resolve a ".." after a link to a directory.
func split(p string) (dir, base string) {
	p = strings.TrimRight(p, "/")
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:i], p[i+1:]
	}
	return ".", p
}

// rootEscape returns the error that an os.Root returns for a path that leaves it. Package os does not export this
// error, but it is always the same value.
var rootEscape = sync.OnceValue(func() error {
	root, err := os.OpenRoot("/")
	if err != nil {
		return nil
	}
	defer root.Close() //nolint:errcheck // nothing was written
	_, err = root.Lstat("..")
	var path *fs.PathError
	if !errors.As(err, &path) {
		return nil
	}
	return path.Err
})
