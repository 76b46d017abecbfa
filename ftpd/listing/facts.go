package listing

import (
	"io/fs"
	"strconv"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/auth"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// factNames are the facts of MLST and MLSD (RFC 3659 section 7.5), in the order in which they are sent.
var factNames = []string{"type", "size", "modify", "perm", "unique", "UNIX.mode"}

// FactSet is a set of facts. Bit i stands for factNames[i].
type FactSet uint8

const (
	// FactType is the fact "type".
	FactType FactSet = 1 << iota
	factSize
	factModify
	factPerm
	factUnique
	factMode

	// AllFacts are all facts that this server knows.
	AllFacts = FactType | factSize | factModify | factPerm | factUnique | factMode
)

// ParseFacts parses the list of OPTS MLST: names, each ended by a semicolon. It ignores unknown names (RFC 3659
// section 7.9).
func ParseFacts(list string) FactSet {
	var set FactSet
	for name := range strings.SplitSeq(list, ";") {
		for i, known := range factNames {
			if strings.EqualFold(name, known) {
				set |= 1 << i
			}
		}
	}
	return set
}

// String returns the set in the form that ParseFacts parses.
func (set FactSet) String() string {
	var b strings.Builder
	for i, name := range factNames {
		if set&(1<<i) != 0 {
			b.WriteString(name + ";")
		}
	}
	return b.String()
}

// Feature returns the line of FEAT that lists all facts and marks those of the set with an asterisk (RFC 3659 section
// 7.8).
func (set FactSet) Feature() string {
	var b strings.Builder
	b.WriteString("MLST ")
	for i, name := range factNames {
		b.WriteString(name)
		if set&(1<<i) != 0 {
			b.WriteByte('*')
		}
		b.WriteByte(';')
	}
	return b.String()
}

// FactWriter writes entries in the format of MLST and MLSD, for one user. It is made by NewFactWriter.
type FactWriter struct {
	Set       FactSet
	file, dir string // the perm facts of regular files and of directories
	link      string // the perm fact of links whose target can't be reached
	linkedDir string // the perm fact of links to directories
}

// NewFactWriter returns a FactWriter that writes the facts of set, for a user with the rights r.
func NewFactWriter(set FactSet, r auth.Rights) FactWriter {
	dir := factPerms(fs.ModeDir, r)
	return FactWriter{
		Set: set, file: factPerms(0, r), dir: dir, link: factPerms(fs.ModeSymlink, r),
		linkedDir: strings.ReplaceAll(dir, "p", ""), // without "p": purging a link would remove what lies behind it
	}
}

// Append appends an entry to b: its facts, a blank, its name. kind, unless empty, replaces the type of a directory;
// it is "cdir" or "pdir". For a symbolic link only the type fact describes the link itself. The other facts describe
// its target, which is what a command that names the link works on (the note of RFC 3659 section 7.5.1.5).
func (f *FactWriter) Append(b []byte, e Entry, kind string) []byte {
	mode := e.Info.Mode()
	if f.Set&FactType != 0 {
		if kind == "" {
			if kind = factKind(mode); e.link.is {
				kind = e.link.factKind()
			}
		}
		b = append(append(append(b, "type="...), kind...), ';')
	}
	if f.Set&factSize != 0 && !mode.IsDir() {
		b = append(strconv.AppendInt(append(b, "size="...), e.Info.Size(), 10), ';')
	}
	if f.Set&factModify != 0 {
		b = append(wire.AppendTime(append(b, "modify="...), e.Info.ModTime()), ';')
	}
	if f.Set&factPerm != 0 {
		b = append(b, "perm="...)
		switch {
		case mode.IsDir() && e.link.is:
			b = append(b, f.linkedDir...)
		case mode.IsDir():
			b = append(b, f.dir...)
		case mode&fs.ModeSymlink != 0:
			b = append(b, f.link...)
		case mode.IsRegular():
			b = append(b, f.file...)
		}
		b = append(b, ';') // the value may be empty
	}
	if f.Set&factUnique != 0 {
		b = appendUnique(b, e.Info)
	}
	if f.Set&factMode != 0 {
		perm := mode.Perm()
		b = append(b, "UNIX.mode=0"...)
		b = append(b, '0'+byte(perm>>6&7), '0'+byte(perm>>3&7), '0'+byte(perm&7), ';')
	}
	return append(append(b, ' '), e.Name...)
}

func factKind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "dir"
	case mode.IsRegular():
		return "file"
	default:
		return "OS.unix=special"
	}
}

// factPerms returns the perm fact of an entry of this mode: a letter for each command that the user's rights allow on
// it.
func factPerms(mode fs.FileMode, r auth.Rights) string {
	perms := []struct {
		letter     byte
		dir, file  bool
		permission bool
	}{
		{'a', false, true, r.CanAppend()},
		{'c', true, false, r.CanCreate()},
		{'d', true, true, r.CanDelete()},
		{'e', true, false, true},
		{'f', true, true, r.CanRename()},
		{'l', true, false, r.CanList()},
		{'m', true, false, r.CanMkdir()},
		{'p', true, false, r.CanDelete()},
		{'r', false, true, r.CanRead()},
		{'w', false, true, r.CanOverwrite()},
	}
	var b strings.Builder
	for _, p := range perms {
		link := mode&fs.ModeSymlink != 0 && (p.letter == 'd' || p.letter == 'f')
		if p.permission && (p.dir && mode.IsDir() || p.file && mode.IsRegular() || link) {
			b.WriteByte(p.letter)
		}
	}
	return b.String()
}
