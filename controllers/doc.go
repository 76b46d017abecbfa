// Package controllers reconciles FtpServers: observe, plan, apply, status, and nothing else.
//
// What is wanted is computed by pure packages (resources, portplan, address, status); this one
// reads the cluster, calls them, and writes. Every write is a server-side apply by one field
// manager, or a patch of one of our annotations or of the readiness gate of a pod, and none is
// sent if it would change nothing.
package controllers
