// Package passwords turns the passwords in the users' Secrets into hashes, in the background and at a bounded cost, and
// remembers which hash belongs to which version of a Secret.
//
// It keeps no password beyond hashing it: a Secret is read, its values are hashed, and only the hashes are remembered (memory.go) and
// written to the config Secret, with digests of where they come from (sources.go).
//
// Begin with Hasher in hasher.go.
package passwords
