package auth

import (
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Rights is a set of rights; the zero value has none.
type Rights uint8

// The rights.
const (
	List Rights = 1 << iota
	Read
	Create
	Overwrite
	Delete
	Rename
	Mkdir
	Append
)

// All is every right.
const All = List | Read | Create | Overwrite | Append | Delete | Rename | Mkdir

// byAccess is what each class of access may do. UploadOnly is a drop box: one may bring, and
// neither see, take, change nor remove.
var byAccess = map[config.Access]Rights{
	config.AccessReadOnly:   List | Read,
	config.AccessReadWrite:  All,
	config.AccessUploadOnly: Create | Mkdir,
}

// RightsOf returns the rights of a class; none for an unknown one.
func RightsOf(access config.Access) Rights { return byAccess[access] }

// byName is what each right of a configuration is. Who may replace a file may as well append to
// it.
var byName = map[config.Right]Rights{
	config.RightList:   List,
	config.RightRead:   Read,
	config.RightCreate: Create,
	config.RightWrite:  Create | Overwrite | Append,
	config.RightAppend: Append,
	config.RightDelete: Delete,
	config.RightRename: Rename,
	config.RightMkdir:  Mkdir,
}

// FromList returns the rights of a list; an unknown one adds none.
func FromList(list []config.Right) Rights {
	var r Rights
	for _, name := range list {
		r |= byName[name]
	}
	return r
}

// String lists the rights as a configuration does.
func (r Rights) String() string {
	var names []string
	for _, name := range config.AllRights {
		implied := r.Has(Overwrite) && (name == config.RightCreate || name == config.RightAppend)
		if r.Has(byName[name]) && !implied {
			names = append(names, string(name))
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}

// Has reports whether every right of want is held.
func (r Rights) Has(want Rights) bool { return r&want == want }

// CanList is the right to see names and their facts: LIST, NLST, MLSD, MLST, STAT of a path, SIZE, MDTM.
func (r Rights) CanList() bool { return r.Has(List) }

// CanRead is the right to download: RETR.
func (r Rights) CanRead() bool { return r.Has(Read) }

// CanCreate is the right to store a file under a name that is free: STOR, STOU.
func (r Rights) CanCreate() bool { return r.Has(Create) }

// CanOverwrite is the right to replace, resume or change the facts of a file that is there: STOR,
// REST and STOR, MFMT, SITE CHMOD.
func (r Rights) CanOverwrite() bool { return r.Has(Overwrite) }

// CanAppend is the right to add to the end of a file that is there: APPE.
func (r Rights) CanAppend() bool { return r.Has(Append) }

// CanDelete is the right to remove files and directories: DELE, RMD.
func (r Rights) CanDelete() bool { return r.Has(Delete) }

// CanRename is the right to move files and directories: RNFR, RNTO.
func (r Rights) CanRename() bool { return r.Has(Rename) }

// CanMkdir is the right to make directories: MKD.
func (r Rights) CanMkdir() bool { return r.Has(Mkdir) }
