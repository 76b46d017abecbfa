package config

import (
	"fmt"
	"net/netip"
)

// AddressOverride is the address that PASV names to some clients.
type AddressOverride struct {
	// Clients are networks, as in 10.0.0.0/8 or 2001:db8::/32.
	Clients []string `json:"clients"`
	// Address is an IP address or a host name, as Passive.AdvertisedAddress is.
	Address string `json:"address"`
}

// Covers reports whether the override is for the client. Networks that can't be read, which
// Validate refuses, cover nobody.
func (o AddressOverride) Covers(client netip.Addr) bool {
	for _, text := range o.Clients {
		if network, err := netip.ParsePrefix(text); err == nil && network.Contains(client.Unmap().WithZone("")) {
			return true
		}
	}
	return false
}

func (p *problems) overrides(overrides []AddressOverride) {
	for i, o := range overrides {
		field := fmt.Sprintf("passive.overrides[%d]", i)
		if len(o.Clients) == 0 {
			p.add(field+".clients", "is empty: write the networks it is for, as in 10.0.0.0/8")
		}
		for j, text := range o.Clients {
			network, err := netip.ParsePrefix(text)
			switch {
			case err != nil:
				p.add(fmt.Sprintf("%s.clients[%d]", field, j), "%q is no network: write it as in 10.0.0.0/8 or 2001:db8::/32", text)
			case network.Masked() != network:
				p.add(fmt.Sprintf("%s.clients[%d]", field, j), "%q has bits set beyond the network: write %s", text, network.Masked())
			}
		}
		if o.Address == "" {
			p.add(field+".address", "is missing: write the address that these clients reach this server by")
		}
		p.advertised(field+".address", o.Address)
	}
}
