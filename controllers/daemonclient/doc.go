// Package daemonclient asks the daemons in an FtpServer's pods for their status, over the pods' admin port, and
// remembers their last reports. It does not know the cluster: the caller says which pods there are.
//
// Begin with Poller in poller.go.
package daemonclient
