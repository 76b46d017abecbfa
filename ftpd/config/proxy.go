package config

// ProxyMode says whether a connection must begin with a PROXY header. It applies to control and data connections.
//
// No mode makes the header optional for a network: an FTP client waits until the server speaks first, so the daemon
// could not distinguish a missing header from a slow one.
type ProxyMode string

const (
	// ProxyOff reads no headers.
	ProxyOff ProxyMode = "Off"
	// ProxyAccept reads a header from trusted networks, which must send one. Other connections are clients without a
	// proxy.
	ProxyAccept ProxyMode = "Accept"
	// ProxyRequire reads a header from trusted networks, and refuses other connections.
	ProxyRequire ProxyMode = "Require"
)

// ProxyProtocol configures the PROXY protocol (versions 1 and 2), by which a load balancer reports the client's
// address, on the control port and on the passive ports. A header from outside the trusted networks is never
// believed: on a control connection it is an unknown command.
type ProxyProtocol struct {
	// Mode is Off (default), Accept or Require.
	Mode ProxyMode `json:"mode,omitempty"`
	// Trusted lists the networks of the proxies, as CIDR. Required unless Mode is Off.
	Trusted []Network `json:"trusted,omitempty"`
}

func (x *ProxyProtocol) setDefaults() { setDefault(&x.Mode, ProxyOff) }

func (p *problems) proxyProtocol(x *ProxyProtocol) {
	switch x.Mode {
	case ProxyOff:
	case ProxyAccept, ProxyRequire:
		if len(x.Trusted) == 0 {
			p.add("proxyProtocol.trusted", "is empty: name the networks of the proxies, as in 10.0.0.0/8, or set mode to %s", ProxyOff)
		}
	default:
		p.add("proxyProtocol.mode", "%q is unknown: write %s, %s or %s", x.Mode, ProxyOff, ProxyAccept, ProxyRequire)
	}
	p.networks("proxyProtocol.trusted", x.Trusted)
}

// advertisedFrom checks passive.advertisedAddressFrom, which needs a proxy that reports the address.
func (p *problems) advertisedFrom(c *Config) {
	const field = "passive.advertisedAddressFrom"
	switch {
	case c.Passive.AdvertisedAddressFrom == "":
	case c.Passive.AdvertisedAddressFrom != AddressFromProxyProtocol:
		p.add(field, "%q is unknown: write %s, or leave it out", c.Passive.AdvertisedAddressFrom, AddressFromProxyProtocol)
	case c.ProxyProtocol.Mode == ProxyOff:
		p.add(field, "%s needs headers: set proxyProtocol.mode to %s or %s, or leave it out", AddressFromProxyProtocol, ProxyAccept, ProxyRequire)
	}
}

// AddressesHidden reports whether the daemon can't know the clients' addresses: there may be source NAT
// (Passive.PeerCheck is Relaxed), and no proxy reports them. Many clients may then share the address of a node, so
// nothing may be counted or banned by address.
func (c *Config) AddressesHidden() bool {
	return c.Passive.PeerCheck == PeerCheckRelaxed && c.ProxyProtocol.Mode == ProxyOff
}
