// Package ftpd is an FTP server as a library: RFC 959 with 1123, 2389, 2428, 2640, 3659 and 4217. Its public face follows
// net/http: New, Serve, Shutdown, Close.
//
// The package holds three things. The server: server.go, accept.go, admission.go (a session for a connection, or a refusal),
// reload.go, ports.go, shutdown.go, status.go. The session: session.go, schedule.go (which goroutine reads and executes),
// pipeline.go (which command is next), watchdog.go, transfers.go. The commands: commands.go is the table from which dispatch, FEAT
// and HELP derive, and cmd_*.go hold one family each. Commands are not a package of their own, since they work on
// most of what a session holds.
//
// The rest is in packages below this one, which never import it: wire parses all that a client sends and writes replies,
// transfer moves data over one data connection, passive owns the passive ports, listing shows files, storage reaches them, socket
// makes system calls, observe names what metrics count. docs/architecture.md tells the way of a connection through them.
//
// Begin reading at Server, session.handle and commands.
package ftpd
