package ftpd

import (
	"net/netip"
	"path/filepath"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// podAddressFile is the path of config.PodAddressFile; empty where the ports come from no file.
func podAddressFile(c *config.Config) string {
	if c.Passive.PortsFile == "" {
		return ""
	}
	return filepath.Join(filepath.Dir(c.Passive.PortsFile), config.PodAddressFile)
}

// advertised is the IPv4 (want4) or IPv6 address to advertise; the zero Addr if there is none of that family. Where the
// pod has an address of its own, that one is the only one: the configuration's may lead to another pod.
func (s *Server) advertised(want4 bool) netip.Addr {
	own := s.podAddress.Addr()
	switch {
	case !own.IsValid():
		return s.resolver.Addr(want4)
	case own.Is4() == want4:
		return own
	}
	return netip.Addr{}
}
