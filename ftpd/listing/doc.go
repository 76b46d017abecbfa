// Package listing presents the tree of files as clients see it. Find resolves a name that a client has sent to the
// file that it stands for. Locate finds out what the argument of LIST or NLST means; it returns a Target, which walks
// the entries. AppendLine writes an entry in the format of ls(1) for LIST, and FactWriter in the format of RFC 3659
// for MLST and MLSD. Start reading at Target.
//
// The package reads from a storage.FS. It imports wire, storage and auth of this module.
package listing
