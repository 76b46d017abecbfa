// Package observe defines how a daemon reports what happens in it: the interface Observer, and the enumerations that
// its methods take, with the names that metrics use for them. Start reading at Observer. The package imports bans,
// for an enumeration, and nothing else of this module. Package metrics implements Observer, and package ftpd calls
// it.
package observe
