package config

import (
	"fmt"
	"net/netip"
	"time"
)

// Bans keep out, for a while, who guesses passwords or abuses the protocol: by address, an IPv6
// client being its /64 network. Where addresses are hidden (see Config.AddressesHidden) a ban
// would hit everybody, so there it is the user name that is banned, for failed logins alone, and
// abuse only ends the session. A banned name is not refused, as anybody could keep the user out
// by it: while the ban lasts its logins are let through one every ten seconds.
type Bans struct {
	// Enabled defaults to true.
	Enabled *bool `json:"enabled,omitempty"`
	// Failures is how many failed logins within Window begin a ban. The same user with the same
	// wrong password counts once, however often it is tried within Window. Abuse of the protocol
	// counts too, as a part of a failure each (ftpd/bans has the weights). Default 10; 1 to 1000.
	Failures int `json:"failures,omitempty"`
	// Window is how long a failure counts. Default 10m; 10s to 24h.
	Window Duration `json:"window,omitempty"`
	// Duration of a first ban; each one that follows is twice as long. Default 5m; 1s to 7 days.
	Duration Duration `json:"duration,omitempty"`
	// MaxDuration is the longest that a ban gets. It is also how long after a ban it is
	// remembered. Default 24h; at least Duration, at most 30 days. For a user name it is an hour
	// at most, or Duration if that is longer.
	MaxDuration Duration `json:"maxDuration,omitempty"`
	// Allow are the networks that are never banned, as CIDR. Trusted networks of ProxyProtocol
	// are never banned either.
	Allow []Network `json:"allow,omitempty"`
}

// What bans have when nothing is said.
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

// On reports whether there are bans.
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

// Network is an IP network, written as CIDR ("10.0.0.0/8", "2001:db8::/32") or as an address,
// which is a network of its own.
type Network struct{ netip.Prefix }

// MarshalText gives the CIDR form.
func (n Network) MarshalText() ([]byte, error) { return n.Prefix.MarshalText() }

// UnmarshalText reads a CIDR or an address. Bits beyond the mask must not be set, as they are a
// mistake more often than not.
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

// Networks is a list of networks as CIDR.
func Networks(prefixes ...netip.Prefix) []Network {
	networks := make([]Network, len(prefixes))
	for i, p := range prefixes {
		networks[i] = Network{p}
	}
	return networks
}

// InNetworks reports whether one of the networks holds the address.
func InNetworks(networks []Network, addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, n := range networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}
