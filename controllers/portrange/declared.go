// Package portrange determines the range of passive ports of a server, chooses one if only a count is declared, and
// finds the other holders of ports that a server needs. It is pure.
package portrange

import (
	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// This is the range of a server that declares neither a range nor a count.
const (
	defaultStart = 30000
	defaultEnd   = 30031
)

// Of returns the passive ports that a server declares. With spec.passive.portRange these are the ports of that range.
// With spec.passive.portCount they are the chosen ports that the status records, which are none before the choice and
// may belong to an earlier count. With neither they are 30000-30031.
func Of(server *v1alpha1.FtpServer) config.PortSet {
	declared := server.Spec.Passive.PortRange
	switch {
	case server.Spec.Passive.PortCount > 0:
		return Allocated(server)
	case declared == v1alpha1.PortRange{}:
		return config.PortRange(defaultStart, defaultEnd)
	}
	return config.PortRange(uint16(declared.Start), uint16(declared.End)) //nolint:gosec // 1024 to 65535 by the API
}

// Allocated returns the ports that were chosen for the server, as its status records them; nil if there is no record
// or it can't be parsed.
func Allocated(server *v1alpha1.FtpServer) config.PortSet {
	ports, err := config.ParsePortSet(server.Status.AllocatedPortRange)
	if err != nil {
		return nil
	}
	return ports
}
