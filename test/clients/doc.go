// Package clients tests the real ftpd binary, with a configuration file, with commonly used FTP clients: {PASV, EPSV,
// PORT, EPRT} x {clear text, explicit TLS, implicit TLS} x the operations of a user. What a client can't do is listed
// in its table, with the reason, and printed; a combination that is neither tested nor explained is a failure, and so
// is a client that is not installed. With TLS every client must verify the server's certificate, everything must be
// encrypted, and data connections must resume the control connection's session unless the client's table says why
// not.
package clients
