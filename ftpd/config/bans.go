package config

import (
	"fmt"
	"net/netip"
	"time"
)

// Bans keep out, for a while, clients that guess passwords or abuse the protocol. A ban is for an address; for IPv6
// it is for the client's /64 network. Where addresses are hidden (see Config.AddressesHidden) a ban of an address
// would hit all clients. There, failed logins ban the user name instead, and abuse only ends the session. Logins of a
// banned name are not refused, because anyone could keep the user out that way; while the ban lasts, one login is let
// through every ten seconds.
type Bans struct {
	// Enabled turns bans on. Default true.
	Enabled *bool `json:"enabled,omitempty"`
	// Failures is the number of failed logins within Window after which a ban begins. The same user with the same
	// wrong password counts once within Window. Abuse of the protocol counts, too, as a part of a failure (ftpd/bans
	// has the weights). Default 10; 1 to 1000.
	Failures int `json:"failures,omitempty"`
	// Window is the time for which a failure counts. Default 10m; 10s to 24h.
	Window Duration `json:"window,omitempty"`
	// Duration is the length of a first ban; each further ban is twice as long. Default 5m; 1s to 7 days.
	Duration Duration `json:"duration,omitempty"`
	// MaxDuration is the longest ban. It is also the time for which a ban is remembered after its end. Default 24h;
	// at least Duration, at most 30 days. For a user name it is at most one hour, or Duration if that is longer.
	MaxDuration Duration `json:"maxDuration,omitempty"`
	// Allow lists the networks that are never banned, as CIDR. Trusted networks of ProxyProtocol are never banned,
	// either.
	Allow []Network `json:"allow,omitempty"`
}

// The defaults of Bans.
const (
	DefaultBanFailures    = 10
	DefaultBanWindow      = 10 * time.Minute
	DefaultBanDuration    = 5 * time.Minute
	DefaultMaxBanDuration = 24 * time.Hour
)

const (
	maxBanFailures = 1000
	maxBanBound    = 30 * 24 * time.Hour
)

// On reports whether bans are enabled.
func (b *Bans) On() bool { return b.Enabled == nil || *b.Enabled }

func (b *Bans) setDefaults() {
	if b.Enabled == nil {
		on := true
		b.Enabled = &on
	}
	setDefault(&b.Failures, DefaultBanFailures)
	setDefault(&b.Window, Duration(DefaultBanWindow))
	setDefault(&b.Duration, Duration(DefaultBanDuration))
	setDefault(&b.MaxDuration, max(Duration(DefaultMaxBanDuration), b.Duration))
}

func (p *problems) bans(b *Bans) {
	const day = 24 * time.Hour
	if b.Failures < 1 || b.Failures > maxBanFailures {
		p.add("bans.failures", "%d is out of range: write 1 to %d", b.Failures, maxBanFailures)
	}
	p.between("bans.window", b.Window, 10*time.Second, day)
	p.between("bans.duration", b.Duration, time.Second, 7*day)
	if b.MaxDuration < b.Duration {
		p.add("bans.maxDuration", "%s is less than bans.duration, %s: write at least that", b.MaxDuration, b.Duration)
	}
	p.between("bans.maxDuration", b.MaxDuration, time.Second, maxBanBound)
	p.networks("bans.allow", b.Allow)
}

// Network is an IP network. Its text form is a CIDR ("10.0.0.0/8", "2001:db8::/32"), or an address, which means the
// network of that address only.
type Network struct{ netip.Prefix }

// MarshalText returns the CIDR form.
func (n Network) MarshalText() ([]byte, error) { return n.Prefix.MarshalText() }

// UnmarshalText reads a CIDR or an address. It refuses a CIDR with bits beyond the mask, which is usually a mistake.
func (n *Network) UnmarshalText(text []byte) error {
	written := string(text)
	if addr, err := netip.ParseAddr(written); err == nil {
		addr = addr.Unmap().WithZone("")
		n.Prefix = netip.PrefixFrom(addr, addr.BitLen())
		return nil
	}
	prefix, err := netip.ParsePrefix(written)
	switch {
	case err != nil, prefix.Addr().Is4In6():
		return fmt.Errorf("network %q is not of the form 10.0.0.0/8 or 2001:db8::/32", written)
	case prefix != prefix.Masked():
		return fmt.Errorf("network %q has bits set beyond its mask: write %s, or the address alone", written, prefix.Masked())
	}
	n.Prefix = prefix
	return nil
}

func (p *problems) networks(field string, networks []Network) {
	for i, n := range networks {
		if !n.IsValid() {
			p.add(fmt.Sprintf("%s[%d]", field, i), "is empty: write a network, as in 10.0.0.0/8, or remove it")
		}
	}
}

// Networks returns the list of networks for the prefixes.
func Networks(prefixes ...netip.Prefix) []Network {
	networks := make([]Network, len(prefixes))
	for i, p := range prefixes {
		networks[i] = Network{p}
	}
	return networks
}

// InNetworks reports whether one of the networks contains the address.
func InNetworks(networks []Network, addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, n := range networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}
