// Package socket holds the system calls on sockets that package net does not offer, or that cost less than those of
// net. Control reads and writes a control connection without involving Go's scheduler (control.go). SendFileBlocking
// is a sendfile that keeps its thread (bulk.go). PeerClosed and Discard look at what has arrived (peek.go).
// options.go sets socket options, and AcceptLoop accepts connections (accept.go). Start reading at Control.
//
// The package knows nothing of FTP and imports nothing else of this module. It builds on Linux only.
package socket
