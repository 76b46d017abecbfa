package config

import (
	"fmt"
	"net/netip"
	"slices"
)

// AddressOverride is the address that PASV names to some clients.
type AddressOverride struct {
	// Clients lists the networks of these clients, as CIDR. At least one is required.
	Clients []Network `json:"clients"`
	// Address is an IP address or a host name, like Passive.AdvertisedAddress.
	Address string `json:"address"`
}

// Covers reports whether the override is for the client.
func (o AddressOverride) Covers(client netip.Addr) bool {
	client = client.Unmap().WithZone("")
	return slices.ContainsFunc(o.Clients, func(n Network) bool { return n.Contains(client) })
}

func (p *problems) overrides(overrides []AddressOverride) {
	for i, o := range overrides {
		field := fmt.Sprintf("passive.overrides[%d]", i)
		if len(o.Clients) == 0 {
			p.add(field+".clients", "is empty: write the networks it is for, as in 10.0.0.0/8")
		}
		p.networks(field+".clients", o.Clients)
		if o.Address == "" {
			p.add(field+".address", "is missing: write the address that these clients reach this server by")
		}
		p.advertised(field+".address", o.Address)
	}
}
