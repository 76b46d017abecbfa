package ftpd

import (
	"errors"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPath bounds a path, as the kernel does.
const maxPath = 4096

// errName is a name that is refused wherever a path is taken.
var errName = errors.New("names must be UTF-8, shorter than 4096 bytes and without control characters")

// resolve makes arg, relative to the directory cwd or absolute, a clean absolute path of the
// user's view: "/" is the home, and ".." at the top stays there (RFC 3659 section 6, TVFS).
func resolve(cwd, arg string) (string, error) {
	if !usableName(arg) {
		return "", errName
	}
	if !path.IsAbs(arg) {
		arg = cwd + "/" + arg
	}
	clean := path.Clean("/" + arg)
	if len(clean) >= maxPath {
		return "", errName
	}
	return clean, nil
}

// namesDirectory reports whether an argument can only name a directory: it ends in a slash, or in "." or ".." as
// its last element.
func namesDirectory(arg string) bool {
	last := arg[strings.LastIndexByte(arg, '/')+1:]
	return arg != "" && (last == "" || last == "." || last == "..")
}

// usableName reports whether a name can be sent back and forth over a control connection and
// shown by a terminal. A name on the disk that can't be is left out of listings.
func usableName(name string) bool {
	if len(name) >= maxPath || !utf8.ValidString(name) {
		return false
	}
	for _, r := range name {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}
