package proxy

import (
	"errors"
	"net/netip"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// ErrUntrusted is a connection that came past the proxies where it must not.
var ErrUntrusted = errors.New("connections are taken through the load balancer only")

// Policy says which connections begin with a header. It never changes. A nil Policy is Off.
type Policy struct{ cfg config.ProxyProtocol }

// NewPolicy returns the policy of a configuration that config.Validate has found good.
func NewPolicy(cfg config.ProxyProtocol) *Policy { return &Policy{cfg} }

// Expects reports whether a connection from the peer, which is its TCP address, must begin with
// a header. ErrUntrusted: it must be refused.
func (p *Policy) Expects(peer netip.Addr) (bool, error) {
	switch {
	case p == nil || p.cfg.Mode == config.ProxyOff || p.cfg.Mode == "":
		return false, nil
	case config.InNetworks(p.cfg.Trusted, peer):
		return true, nil
	case p.cfg.Mode == config.ProxyRequire:
		return false, ErrUntrusted
	default:
		return false, nil
	}
}
