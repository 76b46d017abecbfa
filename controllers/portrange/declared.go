// Package portrange says which range of passive ports a server has, chooses one where only a count is
// declared, and tells who else holds ports that a server needs. It is pure.
package portrange

import (
	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// The range of a server that declares neither a range nor a count.
const (
	defaultStart = 30000
	defaultEnd   = 30031
)

// Of returns the passive ports that a server declares: those of spec.passive.portRange; for
// spec.passive.portCount those that were chosen, as its status has recorded, which are none before
// and may be of an earlier count; else 30000-30031.
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

// Allocated returns the ports that were chosen for the server, as its status has recorded; none if
// there are none. What can't be read is no record.
func Allocated(server *v1alpha1.FtpServer) config.PortSet {
	ports, err := config.ParsePortSet(server.Status.AllocatedPortRange)
	if err != nil {
		return nil
	}
	return ports
}
