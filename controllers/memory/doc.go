// Package memory holds what the operator remembers of an FtpServer between two passes and can't read from the cluster:
// since when something has been so, and what was said already.
//
// A new operator process starts with empty memories. Each type says what happens then; docs/architecture.md has them all
// in one table. The package reads and writes nothing in the cluster, and all its types are safe for concurrent use.
//
// Begin with rollouts.go, which decides when the next pass starts.
package memory
