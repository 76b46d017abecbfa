package config

// ProxyMode says what is expected of a connection, control and data alike.
//
// There is no mode that takes a header or leaves it: an FTP client waits for the server to speak
// first, so that a header that is missing can't be told from one that is slow.
type ProxyMode string

const (
	// ProxyOff reads no headers.
	ProxyOff ProxyMode = "Off"
	// ProxyAccept reads a header from trusted networks, which must send one, and takes other
	// connections for what they are: clients without a proxy.
	ProxyAccept ProxyMode = "Accept"
	// ProxyRequire reads a header from trusted networks and refuses other connections.
	ProxyRequire ProxyMode = "Require"
)

// ProxyProtocol is the PROXY protocol (versions 1 and 2), by which a load balancer tells the
// client's address, on the control port and on the passive ports. A header from elsewhere than
// a trusted network is never believed: on a control connection it is an unknown command.
type ProxyProtocol struct {
	// Mode is Off (default), Accept or Require.
	Mode ProxyMode `json:"mode,omitempty"`
	// Trusted are the networks of the proxies, as CIDR. Required unless Mode is Off.
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

// advertisedFrom checks passive.advertisedAddressFrom, which needs a proxy that tells the address.
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

// AddressesHidden reports whether the clients' addresses can't be known: source NAT stands
// between (Passive.PeerCheck is Relaxed) and no proxy tells them. Then many clients share the
// address of a node, and nothing may be counted or banned by address.
func (c *Config) AddressesHidden() bool {
	return c.Passive.PeerCheck == PeerCheckRelaxed && c.ProxyProtocol.Mode == ProxyOff
}
