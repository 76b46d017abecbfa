// Package listing is the tree of files as clients see it. Find resolves a name that a client has sent to what is there.
// Locate finds out what the argument of LIST or NLST means, and Target walks it. AppendLine writes an entry as ls(1)
// does, for LIST, and FactWriter as RFC 3659 has it, for MLST and MLSD. Begin reading at Target.
//
// The package reads a storage.FS, and imports wire, storage and auth of this module.
package listing
