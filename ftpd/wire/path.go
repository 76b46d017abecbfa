package wire

import (
	"errors"
	"path"
	"strings"
	"unicode"
)

// maxPath bounds a path, as the kernel does.
const maxPath = 4096

// errName is a name that is refused wherever a path is taken.
var errName = errors.New("names must be shorter than 4096 bytes and without control characters")

// Resolve makes arg, relative to the directory cwd or absolute, a clean absolute path of the
// user's view: "/" is the home, and ".." at the top stays there (RFC 3659 section 6, TVFS).
func Resolve(cwd, arg string) (string, error) {
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

// NamesDirectory reports whether an argument can only name a directory: it ends in a slash, or in "." or ".." as
// its last element.
func NamesDirectory(arg string) bool {
	last := arg[strings.LastIndexByte(arg, '/')+1:]
	return arg != "" && (last == "" || last == "." || last == "..")
}

// usableName reports whether a client may send a name. What is not UTF-8 may be the very name of a file; storage
// decides whether it may be a new one.
func usableName(name string) bool {
	return len(name) < maxPath && !strings.ContainsFunc(name, unicode.IsControl)
}
