// Package children reads and writes the objects that belong to an FtpServer: its children, such as the Deployment and
// the Service, and the EndpointSlices of its pods.
//
// A child is written by a server-side apply of one field manager. An apply that would change nothing is not sent: package apply
// compares, and this package remembers what a comparison can't see: that the cache lags behind our own writes
// (WriteTracker), that the API server changes what we send (noops), and that another client changes it back
// (contention). An object of another owner is never written. A refusal that a retry does not help becomes a problem for
// the status; every other failure is an error.
//
// Begin with Writer in writer.go.
package children
