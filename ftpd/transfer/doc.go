// Package transfer is the data transfer process of RFC 959 section 2.3: it does one job over one data connection, and says
// how that ended. A command makes a Plan of what is moved (content.go); New and Run do it over a Connector's connection
// (connector.go), in clear text or TLS (tls.go), as a stream or compressed (modez.go), by sendfile and splice or through
// buffers (copy.go); outcome.go is the one table of how a transfer can end. Begin reading at Plan and at Transfer.Run.
//
// The package knows the session only as the interface Session: it sends no replies but through it. It imports observe,
// socket, passive, ftptls, bandwidth, budget, fair, slots and storage of this module, and never ftpd.
package transfer
