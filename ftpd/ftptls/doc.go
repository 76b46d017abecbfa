// Package ftptls provides TLS as FTP needs it (RFC 4217): certificates that are reloaded when their files change, TLS
// sessions that prove that a data connection belongs to its control connection, and a reliable detection of the end
// of a connection.
//
//	store.go      the files, and their content when it was last good
//	choose.go     which certificate a client gets
//	session.go    the TLS of one control connection and its data connections
//	recordconn.go the connection below TLS, which detects truncation and reads nothing beyond the end of TLS
//
// Start reading at Store, and then at Session. The package imports config of this module.
package ftptls
