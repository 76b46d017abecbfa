// Package wire implements the syntax of an FTP control connection. Reader (reader.go) cuts the connection into lines
// and removes the Telnet protocol from them (telnet.go); Writer (writer.go) sends replies. The other files parse the
// arguments of commands: paths, addresses, numbers, times, ranges, facts and host names. Start reading at Reader and
// Writer.
//
// The package knows nothing of sessions, users or files, and imports nothing else of this module. All of its input
// comes from clients, so every parser has a fuzz test.
package wire
