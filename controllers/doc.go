// Package controllers reconciles FtpServers: observe, plan, apply, status, and nothing else.
//
// The desired state is computed by pure packages (resources, portplan, address, status). This package reads the
// cluster, calls them, and writes. Every write is a server-side apply by one field manager, or a patch of one of our
// annotations or of a pod's readiness gate. No write is sent if it would change nothing.
package controllers
