// Package reserved knows the file names that the daemon reserves for uploads that are not complete. It imports
// nothing of this module. Begin reading at Name.
package reserved

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Prefix is the prefix of reserved names.
const Prefix = ".ftpd-"

// Path reports whether a part of a slash path is reserved.
func Path(p string) bool {
	for part := range strings.SplitSeq(p, "/") {
		if Name(part) {
			return true
		}
	}
	return false
}

// Name reports whether a name, without slashes, begins with Prefix on any file system. Some file systems treat names
// as the same that differ in case (ext4 with casefold, CIFS, FAT), in Unicode normalization (even in compatibility
// forms: ZFS with normalization=formKD), or in invisible characters (ext4 with casefold, HFS+). So such names are
// reserved on all file systems.
func Name(name string) bool {
	rest := Prefix
	for _, r := range name {
		if rest == "" {
			return true
		}
		if r < utf8.RuneSelf {
			if lower(r) != rune(rest[0]) {
				return false
			}
			rest = rest[1:]
			continue
		}
		if r == utf8.RuneError {
			return false // invalid UTF-8, or the character U+FFFD itself; both differ from Prefix
		}
		if unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
			continue
		}
		for _, part := range norm.NFKD.String(string(r)) {
			if rest == "" {
				return true
			}
			if fold(part) != rune(rest[0]) {
				return false
			}
			rest = rest[1:]
		}
	}
	return rest == ""
}

// fold returns the smallest of the characters that differ from r in case only.
func fold(r rune) rune {
	least := lower(r)
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, lower(next))
	}
	return least
}

// lower returns r in lower case if it is an ASCII letter, else r.
func lower(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		r += 'a' - 'A'
	}
	return r
}
