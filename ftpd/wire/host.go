package wire

import (
	"errors"
	"net/netip"
	"strings"
)

var errHost = errors.New("write HOST and a host name, an IPv4 address, or an IPv6 address in brackets; no port")

// VirtualHost is the argument of HOST: a host name or an IP address.
type VirtualHost struct {
	// Name is the host name in lower case without a final dot, or the address as the client wrote it.
	Name string
	// Addr is the address; it is the zero Addr if the argument is a host name.
	Addr netip.Addr
}

// ParseHost parses the argument of HOST (RFC 7151 section 3.1). isName reports whether a text is a valid host name.
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
