// Package wire is the syntax of an FTP control connection: how lines are cut out of it (reader.go, with telnet.go for the
// Telnet protocol in them), how replies are written to it (writer.go), and how each argument that a client sends is
// parsed: paths, addresses, numbers and times, ranges, facts, host names. Begin reading at Reader and Writer.
//
// The package knows no session, no user and no file, and imports nothing else of this module. Everything that it parses
// comes from a client, so each parser has a fuzz test beside it.
package wire
