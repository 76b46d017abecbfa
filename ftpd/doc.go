// Package ftpd is an FTP server as a library: RFC 959 with 1123, 2389, 2428, 2640 and 3659.
//
// Its public face follows net/http: New, Serve, Shutdown, Close. The way of a session through
// the files of this package:
//
//	accept.go   takes the connection, or refuses it with a 421 that says why
//	control.go  reads command lines (telnet.go takes the Telnet protocol out of them)
//	session.go  the loop that runs one command after the other, also while a transfer runs
//	table.go    what every command needs; cmd_*.go are the commands, one file per family
//	dataconn.go opens the data connection, passive or active
//	transfer.go moves bytes over it, beside the session's loop
//	reply.go    writes replies
//
// Hostile input: everything a client sends. It is checked where it is parsed: lines in
// control.go and telnet.go, names in path.go, addresses in hostport.go, numbers and times in
// params.go. What lies on the disk is reached only through a storage.FS, which is jailed.
package ftpd
