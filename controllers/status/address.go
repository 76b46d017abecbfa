package status

import (
	"fmt"
	"net/netip"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// Reasons of the AddressResolved condition, besides those of package address.
const (
	ReasonAddressResolved     = "AddressResolved"
	ReasonAddressNotYetServed = "AddressNotYetServed"
	ReasonHostNameNotResolved = "HostNameNotResolved"
	// ReasonHostNameNotRefreshed: a host name can't be resolved again; the last good answer serves.
	ReasonHostNameNotRefreshed = "HostNameNotRefreshed"
	// ReasonOnlyIPv6: there is no IPv4 address, without which only EPSV works.
	ReasonOnlyIPv6 = "OnlyIPv6"
)

// addressResolved: the address to advertise is known, and the pods that could be asked advertise it.
func addressResolved(o Observed) metav1.Condition {
	const kind = v1alpha1.ConditionAddressResolved
	if o.Address.Address == "" {
		return condition(kind, metav1.ConditionFalse, o.Address.Reason, o.Address.Message)
	}
	if o.Address.Lost {
		return condition(kind, metav1.ConditionFalse, o.Address.Reason, o.Address.Message)
	}
	only6, stale := isIPv6(o.Address.Address), ""
	for i := range o.Pods {
		p := &o.Pods[i]
		if p.Terminating || p.Daemon == nil {
			continue
		}
		switch {
		case p.Daemon.AddressError != "" && p.Daemon.AdvertisedIP == "":
			return condition(kind, metav1.ConditionFalse, ReasonHostNameNotResolved, fmt.Sprintf(
				"pod %s can't resolve %s: %s; check the name, or set spec.passive.advertisedAddress to an IP address",
				p.Name, o.Address.Address, clip(p.Daemon.AddressError)))
		case !serves(p.Daemon.AdvertisedIP, o.Address.Address):
			return condition(kind, metav1.ConditionFalse, ReasonAddressNotYetServed, fmt.Sprintf(
				"pod %s does not advertise %s yet", p.Name, o.Address.Address))
		case p.Daemon.AddressError != "" && stale == "":
			stale = fmt.Sprintf("pod %s: %s; what the name last stood for is advertised on", p.Name, clip(p.Daemon.AddressError))
		}
		only6 = only6 || isIPv6(p.Daemon.AdvertisedIP) // a daemon that has both tells the other
	}
	switch {
	case o.Address.Reason != "": // known, but troubled
		return condition(kind, metav1.ConditionTrue, o.Address.Reason, o.Address.Message)
	case stale != "":
		return condition(kind, metav1.ConditionTrue, ReasonHostNameNotRefreshed, stale)
	case only6:
		return condition(kind, metav1.ConditionTrue, ReasonOnlyIPv6, fmt.Sprintf(
			"EPSV serves clients of %s (%s); PASV can only name IPv4 addresses, of which none is known, and is answered with 425",
			o.Address.Address, o.Address.Source))
	}
	return condition(kind, metav1.ConditionTrue, ReasonAddressResolved,
		fmt.Sprintf("PASV names %s (%s)", o.Address.Address, o.Address.Source))
}

func isIPv6(text string) bool {
	ip, err := netip.ParseAddr(text)
	return err == nil && ip.Unmap().Is6()
}

// serves reports whether a daemon that advertises ip advertises address, which may be a host name.
func serves(ip, address string) bool {
	got, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	want, err := netip.ParseAddr(address)
	if err != nil {
		return true // a name: it resolved to something
	}
	return got.Unmap() == want.Unmap()
}

// clip bounds text that comes from a daemon.
func clip(text string) string {
	const most = 512
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
