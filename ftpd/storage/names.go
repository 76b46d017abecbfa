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

// Users neither see nor reach names that are reserved: they are those of uploads that are not
// complete.
const (
	uploadPrefix = reserved.Prefix + "upload-" // what has come of a new file
	appendPrefix = reserved.Prefix + "append-" // a journal
)

// inRoot turns a name of FS into a path relative to the home: "/a/b" into "a/b", "/" into ".".
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

// newInRoot is inRoot for a name that is to be made or replaced. Only the last part is new.
func newInRoot(name string) (string, error) {
	if hidden(name) {
		return "", fs.ErrPermission
	}
	if !harmless(path.Base(name)) {
		return "", fs.ErrInvalid
	}
	return inRoot(name)
}

// harmless reports whether a new name can do nothing to whoever lists or prints it: it has no control characters,
// which command a terminal or end a line, and none that turn the direction of text around, by which
// "gpj.exe" looks like "exe.jpg". The marks of a direction (U+200E, U+200F, U+061C) turn nothing around and stay: names
// in Hebrew or Arabic, and those that are copied from programs, have them. What a shell takes for special, a blank or
// a dash in front, is a matter of quoting: such names are common and stay.
//
// Bytes that are not UTF-8 are what old devices send, and are stored as they are, but for those that are control
// characters to a terminal of one byte a character, Telnet's IAC, and ASCII that is written in UTF-8 overlong.
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

// split cuts a path into directory and last part. Unlike package path it does not clean: ".."
// after a link to a directory is for the root to resolve.
func split(p string) (dir, base string) {
	p = strings.TrimRight(p, "/")
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:i], p[i+1:]
	}
	return ".", p
}

// rootEscape is the error that an os.Root gives for a path that leaves it; os does not export
// it, but it is one value.
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
