package config

import (
	"slices"
	"strings"
)

// Right is one thing that a user may do. A list of them takes the place of an Access class.
type Right string

// The rights.
const (
	// RightList is to see names and their facts: LIST, NLST, MLSD, MLST, STAT, SIZE, MDTM.
	RightList Right = "List"
	// RightRead is to download.
	RightRead Right = "Read"
	// RightCreate is to store files under names that are free.
	RightCreate Right = "Create"
	// RightWrite is to create, replace, resume and append to files and to change their facts; it
	// holds Create and Append.
	RightWrite Right = "Write"
	// RightAppend is to append to files that are there.
	RightAppend Right = "Append"
	// RightDelete is to remove files and directories.
	RightDelete Right = "Delete"
	// RightRename is to give files and directories other names that are free, or, with Write,
	// those of other files.
	RightRename Right = "Rename"
	// RightMkdir is to make directories.
	RightMkdir Right = "Mkdir"
)

// AllRights are all of them.
var AllRights = []Right{RightList, RightRead, RightCreate, RightWrite, RightAppend, RightDelete, RightRename, RightMkdir}

func (p *problems) rights(field string, rights []Right) {
	seen := make(map[Right]bool, len(rights))
	for _, r := range rights {
		switch {
		case !slices.Contains(AllRights, r):
			names := make([]string, len(AllRights))
			for i, known := range AllRights {
				names[i] = string(known)
			}
			p.add(field, "%q is unknown: write some of %s", r, strings.Join(names, ", "))
		case seen[r]:
			p.add(field, "%s is named twice: remove one", r)
		}
		seen[r] = true
	}
}
