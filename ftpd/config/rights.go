package config

import (
	"slices"
	"strings"
)

// Right is one thing that a user may do. A list of rights replaces an Access class.
type Right string

// The rights.
const (
	// RightList allows seeing names and their facts: LIST, NLST, MLSD, MLST, STAT, SIZE, MDTM.
	RightList Right = "List"
	// RightRead allows downloading.
	RightRead Right = "Read"
	// RightCreate allows storing files under unused names.
	RightCreate Right = "Create"
	// RightWrite allows creating, replacing, resuming and appending to files, and changing their facts. It includes
	// Create and Append.
	RightWrite Right = "Write"
	// RightAppend allows appending to existing files.
	RightAppend Right = "Append"
	// RightDelete allows removing files and directories.
	RightDelete Right = "Delete"
	// RightRename allows renaming files and directories to unused names or, with Write, to names of existing files.
	RightRename Right = "Rename"
	// RightMkdir allows making directories.
	RightMkdir Right = "Mkdir"
)

// AllRights lists all rights.
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
