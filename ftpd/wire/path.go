package wire

import (
	"errors"
	"path"
	"strings"
	"unicode"
)

// maxPath is the bound of a path's length in bytes, the same as the kernel's.
const maxPath = 4096

// errName is the error for a name that no command accepts as a path.
var errName = errors.New("names must be shorter than 4096 bytes and without control characters")

// Resolve returns the clean absolute path that arg names, either absolute or relative to the directory cwd. In the
// user's view "/" is the home, and ".." at the top stays there (RFC 3659 section 6, TVFS).
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

// NamesDirectory reports whether arg can only name a directory: it ends in a slash, or its last element is "." or
// "..".
func NamesDirectory(arg string) bool {
	last := arg[strings.LastIndexByte(arg, '/')+1:]
	return arg != "" && (last == "" || last == "." || last == "..")
}

// usableName reports whether a client may send a name. A name that is not UTF-8 is accepted, since a file may have
// exactly that name; storage decides whether a new file may get it.
func usableName(name string) bool {
	return len(name) < maxPath && !strings.ContainsFunc(name, unicode.IsControl)
}
