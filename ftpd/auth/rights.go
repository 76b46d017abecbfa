package auth

import (
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Rights is a set of rights; the zero value has none.
type Rights uint8

// The rights. The methods such as CanList document the commands that each right allows.
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

// All is the set of all rights.
const All = List | Read | Create | Overwrite | Append | Delete | Rename | Mkdir

// byAccess maps each class of access to its rights. UploadOnly is a drop box: a user may upload files and create
// directories, but may neither see, download, change nor remove anything.
var byAccess = map[config.Access]Rights{
	config.AccessReadOnly:   List | Read,
	config.AccessReadWrite:  All,
	config.AccessUploadOnly: Create | Mkdir,
}

// RightsOf returns the rights of a class of access. An unknown class has none.
func RightsOf(access config.Access) Rights { return byAccess[access] }

// byName maps each right of a configuration to the rights that it grants. A user who may replace a file may also
// append to it.
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

// FromList returns the rights that a configuration lists. Unknown ones are ignored.
func FromList(list []config.Right) Rights {
	var r Rights
	for _, name := range list {
		r |= byName[name]
	}
	return r
}

// String returns the rights as a configuration lists them, separated by commas, or "none".
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

// Has reports whether r includes every right of want.
func (r Rights) Has(want Rights) bool { return r&want == want }

// CanList reports whether the user may see names and their facts: LIST, NLST, MLSD, MLST, STAT of a path, SIZE, MDTM.
func (r Rights) CanList() bool { return r.Has(List) }

// CanRead reports whether the user may download files: RETR.
func (r Rights) CanRead() bool { return r.Has(Read) }

// CanCreate reports whether the user may store a file under a free name: STOR, STOU.
func (r Rights) CanCreate() bool { return r.Has(Create) }

// CanOverwrite reports whether the user may replace an existing file, resume an upload to it or change its facts:
// STOR, REST and STOR, MFMT, SITE CHMOD.
func (r Rights) CanOverwrite() bool { return r.Has(Overwrite) }

// CanAppend reports whether the user may append to an existing file: APPE.
func (r Rights) CanAppend() bool { return r.Has(Append) }

// CanDelete reports whether the user may remove files and directories: DELE, RMD.
func (r Rights) CanDelete() bool { return r.Has(Delete) }

// CanRename reports whether the user may move files and directories: RNFR, RNTO.
func (r Rights) CanRename() bool { return r.Has(Rename) }

// CanMkdir reports whether the user may make directories: MKD.
func (r Rights) CanMkdir() bool { return r.Has(Mkdir) }
