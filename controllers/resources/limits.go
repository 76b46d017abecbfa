package resources

import (
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// A field that is unset here gets its default in the daemon. A value that the API would never have accepted is mapped
// to one that the daemon refuses, so that it is not ignored silently.

func limits(l *v1alpha1.LimitsSpec) config.Limits {
	return config.Limits{
		MaxSessions:           int(l.MaxSessions),
		MaxSessionsPerUser:    int(l.MaxSessionsPerUser),
		MaxSessionsPerAddress: int(l.MaxSessionsPerAddress),
		MaxPreLogin:           int(l.MaxPreLogin),
		Bandwidth: config.Bandwidth{
			Session: rates(l.Bandwidth.Session),
			User:    rates(l.Bandwidth.User),
			Server:  rates(l.Bandwidth.Server),
		},
	}
}

func rates(r v1alpha1.RatesSpec) config.Rates {
	return config.Rates{Up: bytesOf(r.Up), Down: bytesOf(r.Down)}
}

func timeouts(t *v1alpha1.TimeoutsSpec) config.Timeouts {
	return config.Timeouts{
		Idle:      duration(t.Idle),
		Login:     duration(t.Login),
		Data:      duration(t.Data),
		Handshake: duration(t.Handshake),
	}
}

func bans(b *v1alpha1.BansSpec) config.Bans {
	return config.Bans{
		Enabled:     b.Enabled,
		Failures:    int(b.Failures),
		Window:      duration(b.Window),
		Duration:    duration(b.Duration),
		MaxDuration: duration(b.MaxDuration),
		Allow:       networks(b.Allow),
	}
}

func proxyProtocol(p *v1alpha1.ProxyProtocolSpec) config.ProxyProtocol {
	if p == nil {
		return config.ProxyProtocol{}
	}
	mode := config.ProxyMode(p.Mode)
	if mode == "" {
		mode = config.ProxyAccept
	}
	return config.ProxyProtocol{Mode: mode, Trusted: networks(p.Trusted)}
}

// overrides leaves out overrides that refer to the cluster IP while there is none; there are no pods yet at that
// time.
func overrides(list []v1alpha1.AddressOverride, clusterIP string) []config.AddressOverride {
	var out []config.AddressOverride
	for _, o := range list {
		address := o.Address
		if o.AddressFrom == v1alpha1.OverrideFromClusterIP {
			address = clusterIP
		}
		if address != "" {
			out = append(out, config.AddressOverride{Clients: networks(o.Clients), Address: address})
		}
	}
	return out
}

func rights(list []v1alpha1.Right) []config.Right {
	var out []config.Right
	for _, r := range list {
		out = append(out, config.Right(r))
	}
	return out
}

func quota(q v1alpha1.Quota) config.Quota {
	return config.Quota{Bytes: bytesOf(q.Bytes), Files: q.Files}
}

func bytesOf(q *resource.Quantity) int64 {
	if q == nil {
		return 0
	}
	return q.Value()
}

func duration(d v1alpha1.Duration) config.Duration {
	if d == "" {
		return 0
	}
	parsed, err := time.ParseDuration(string(d))
	if err != nil {
		return -1
	}
	return config.Duration(parsed)
}

func networks(list []v1alpha1.Network) []config.Network {
	var out []config.Network
	for _, text := range list {
		var n config.Network
		_ = n.UnmarshalText([]byte(text)) // on an error n stays the zero value, which is no network
		out = append(out, n)
	}
	return out
}

func texts[T ~string](list []T) []string {
	var out []string
	for _, text := range list {
		out = append(out, string(text))
	}
	return out
}
