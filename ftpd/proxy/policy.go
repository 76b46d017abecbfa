package proxy

import (
	"errors"
	"net/netip"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// ErrUntrusted means that a connection did not come through a proxy although it must.
var ErrUntrusted = errors.New("connections are taken through the load balancer only")

// Policy decides which connections must start with a header. It is immutable. A nil Policy expects no headers.
type Policy struct{ cfg config.ProxyProtocol }

// NewPolicy returns the policy of a configuration that config.Validate has accepted.
func NewPolicy(cfg config.ProxyProtocol) *Policy { return &Policy{cfg} }

// Expects reports whether a connection from peer, its TCP address, must start with a header. It returns ErrUntrusted
// if the connection must be refused.
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
