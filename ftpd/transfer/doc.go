// Package transfer is the data transfer process of RFC 959 section 2.3: it does one job over one data connection, and
// reports how that ended.
//
// A command makes a Plan of what is moved (content.go). New makes a Transfer of it, and Run moves the data over the
// connection that a Connector makes (connector.go): in clear text or TLS (tls.go), as a stream or compressed
// (modez.go), by sendfile and splice or through buffers (copy.go). The table in outcome.go lists all ways in which a
// transfer can end. Begin reading at Plan and at Transfer.Run.
//
// The package knows the session only as the interface Session, and sends replies only through it. It imports observe,
// socket, passive, ftptls, bandwidth, budget, fair, slots and storage of this module, and never ftpd.
package transfer
