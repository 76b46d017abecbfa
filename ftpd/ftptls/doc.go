// Package ftptls is TLS as FTP needs it (RFC 4217): certificates that follow their files, TLS
// sessions that prove that a data connection belongs to its control connection, and an end of
// the connection that can't be mistaken.
//
//	store.go   the files and what was read from them last
//	choose.go  which certificate a client gets
//	session.go the TLS of one control connection and its data connections
//	carrier.go what TLS runs over: knows truncation, and leaves what follows TLS to others
package ftptls
