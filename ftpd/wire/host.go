package wire

import (
	"errors"
	"net/netip"
	"strings"
)

var errHost = errors.New("write HOST and a host name, an IPv4 address, or an IPv6 address in brackets; no port")

// VirtualHost is the argument of HOST: a name or an address.
type VirtualHost struct {
	Name string
	Addr netip.Addr // if it is an address
}

// ParseHost reads the argument of HOST (RFC 7151 section 3.1); isName says what a host name is.
func ParseHost(arg string, isName func(string) bool) (VirtualHost, error) {
	arg = strings.TrimSpace(arg)
	if inner, bracket := strings.CutPrefix(arg, "["); bracket {
		inner, closed := strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		if !closed || err != nil || !addr.Is6() || addr.Zone() != "" {
			return VirtualHost{}, errHost
		}
		return VirtualHost{Name: arg, Addr: addr.Unmap()}, nil
	}
	if addr, err := netip.ParseAddr(arg); err == nil && addr.Is4() {
		return VirtualHost{Name: arg, Addr: addr}, nil
	}
	if !isName(arg) {
		return VirtualHost{}, errHost
	}
	return VirtualHost{Name: strings.ToLower(strings.TrimSuffix(arg, "."))}, nil
}
