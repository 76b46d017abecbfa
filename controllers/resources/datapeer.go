package resources

import (
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// DataPeerReason explains which check of data connections the daemon's configuration leads to. If connections are not
// checked, it says what would change that.
func DataPeerReason(in Inputs, c *config.Config) string {
	hidden := "externalTrafficPolicy Cluster hides clients behind addresses of nodes"
	if endsConnections(in.Server, in.ServiceIngress) {
		hidden = "the load balancer makes connections of its own, which hides clients behind its address"
	}
	switch c.DataPeer() {
	case config.DataPeerTLSSession:
		return hidden + ", but every data connection must resume the TLS session of its control connection (tls.sessionReuse Require)"
	case config.DataPeerRelaxed:
		return hidden + "; service.proxyProtocol tells their own, tls.sessionReuse Require (with tls.data Required) does without, and externalTrafficPolicy Local with one replica keeps them"
	}
	reason := "clients are seen with their own addresses (externalTrafficPolicy Local)"
	switch {
	case in.Server.Spec.Service.ProxyProtocol != nil:
		reason = "the PROXY protocol tells the clients' own addresses"
	case ExternalTrafficPolicy(in.Server) == "":
		reason = "clients inside the cluster are seen with their own addresses"
	}
	if c.TLSSessionRequired() {
		reason += ", and every data connection must resume the TLS session of its control connection as well"
	}
	return reason
}
