package resources

import (
	"net"
	"strconv"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/loadbalancer"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// DaemonConfig returns the daemon's configuration for the inputs. users are the users whose passwords are known, in
// the order of the spec: see DaemonUser. The static fields of the configuration never vary, so running daemons can
// apply every change.
func DaemonConfig(in Inputs, users []config.User) *config.Config {
	server := in.Server
	return &config.Config{
		APIVersion:      config.APIVersion,
		Listen:          []string{net.JoinHostPort("", strconv.Itoa(ControlPort))},
		AdminAddress:    net.JoinHostPort("", strconv.Itoa(AdminPort)),
		Charset:         config.Charset(server.Spec.Charset),
		Hosts:           texts(server.Spec.Hosts),
		AllowedNetworks: networks(server.Spec.NetworkPolicy.AllowedNetworks),
		Storage: config.Storage{
			Root:           dataDir,
			Durability:     config.Durability(server.Spec.Storage.Durability),
			PartialUploads: config.PartialUploads(server.Spec.Storage.PartialUploads),
		},
		Passive: config.Passive{
			PortsFile:             podDir + "/" + portsFile,
			AdvertisedAddress:     in.AdvertisedAddress,
			AdvertisedAddressFrom: config.AddressSource(server.Spec.Passive.AdvertisedAddressFrom),
			Overrides:             overrides(server.Spec.Passive.Overrides, in.ClusterIP),
			RequireAddress:        true,
			PeerCheck:             PeerCheck(server, in.ServiceIngress),
		},
		Active: config.Active{
			Enabled:    server.Spec.Active.Enabled,
			SourcePort: uint16(server.Spec.Active.SourcePort), //nolint:gosec // below 1024 by the API
		},
		TLS:           daemonTLS(in),
		Users:         users,
		Anonymous:     anonymous(&server.Spec.Anonymous),
		Timeouts:      timeouts(&server.Spec.Limits.Timeouts),
		Drain:         drain(server, loadbalancer.TimesOf(in.LoadBalancer, ExternalTrafficPolicy(server)).LameDuck),
		Limits:        limits(&server.Spec.Limits),
		Bans:          bans(&server.Spec.Bans),
		ProxyProtocol: proxyProtocol(server.Spec.Service.ProxyProtocol),
	}
}

// DaemonUser returns the configuration of a user with the given password hash.
func DaemonUser(user v1alpha1.User, hash string) config.User {
	out := config.User{
		Name:         user.Name,
		PasswordHash: hash,
		Home:         user.Home,
		Access:       config.Access(user.Access),
		Rights:       rights(user.Rights),
		Quota:        quota(user.Quota),
	}
	if out.Home == "" {
		out.Home = user.Name
	}
	if out.Access == "" {
		out.Access = config.AccessReadWrite
	}
	return out
}

func anonymous(user *v1alpha1.AnonymousSpec) config.Anonymous {
	if !user.Enabled {
		return config.Anonymous{}
	}
	out := config.Anonymous{
		Enabled: true,
		Home:    user.Home,
		Access:  config.Access(user.Access),
		Rights:  rights(user.Rights),
		Quota:   quota(user.Quota),
	}
	if out.Home == "" {
		out.Home = config.DefaultAnonymousHome
	}
	if out.Access == "" {
		out.Access = config.AccessReadOnly
	}
	return out
}
