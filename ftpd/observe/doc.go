// Package observe is how a daemon reports what happens in it: the interface Observer, and the enumerations that its
// methods take, each with the names that metrics use. Begin reading at Observer. The package imports bans, for an
// enumeration, and nothing else of this module; package metrics implements Observer, and package ftpd calls it.
package observe
