// Package clients tries the real ftpd binary with the FTP clients that people use: each of
// {PASV, EPSV, PORT, EPRT} with each of the things a user does. What a client can't do is said
// in its table, with the reason, and printed; a client that is not installed is a failure that
// names its Debian package.
package clients
