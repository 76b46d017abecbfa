// Package socket holds the system calls on sockets that package net does not offer, or that cost less than net's:
// Control, which reads and writes a control connection without telling Go's scheduler; sendfile that keeps its thread
// (bulk.go); socket options (options.go); looking at what has come without taking it (peek.go). Begin reading at Control.
//
// The package knows nothing of FTP and imports nothing else of this module. It builds on Linux only.
package socket
