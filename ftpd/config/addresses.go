package config

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
)

// addresses checks the addresses that the daemon listens on. Port 0 means any free port.
func (p *problems) addresses(c *Config) {
	if len(c.Listen) == 0 {
		p.add("listen", "is empty: give at least one address, as in %s", DefaultListen)
	}
	seen := make(map[string]string)
	check := func(field, address string) {
		port, err := checkListenAddress(address)
		if err != nil {
			p.add(field, "%v", err)
			return
		}
		if other, twice := seen[address]; twice && port != 0 {
			p.add(field, "%q is %s too: remove one", address, other)
		}
		seen[address] = field
		if c.Passive.Ports.Contains(port) {
			p.add(field, "port %d is also one of passive.ports: change one of them", port)
		}
	}
	for i, address := range c.Listen {
		check(fmt.Sprintf("listen[%d]", i), address)
	}
	for i, address := range c.implicitListen() {
		check(fmt.Sprintf("tls.implicitListen[%d]", i), address)
	}
	if c.AdminAddress != "" {
		check("adminAddress", c.AdminAddress)
	}
}

// checkListenAddress checks an address of the form host:port and returns the port.
func checkListenAddress(address string) (uint16, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return 0, fmt.Errorf("%q is not of the form host:port, as in :2121, 127.0.0.1:2121 or [::1]:2121", address)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%q has no port from 0 to 65535 after the last colon", address)
	}
	if host != "" && !isIP(host) && !isHostName(host) {
		return 0, fmt.Errorf("%q: %q is neither an IP address nor a host name", address, host)
	}
	return uint16(port), nil
}

func isIP(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

var (
	label    = `[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?`
	hostName = regexp.MustCompile(`^` + label + `(\.` + label + `)*\.?$`)
	number   = regexp.MustCompile(`(^|\.)[0-9]+\.?$`)
)

// isHostName reports whether the text is a host name of RFC 1123 section 2.1, with or without the final dot of the
// root. The last label must not be a number, or "300.1.1.1" would be a host name.
func isHostName(text string) bool {
	return len(text) <= 253 && hostName.MatchString(text) && !number.MatchString(text)
}
