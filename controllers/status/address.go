package status

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/address"
)

// These are the reasons of the AddressResolved condition, in addition to those of package address.
const (
	ReasonAddressResolved     = "AddressResolved"
	ReasonAddressNotYetServed = "AddressNotYetServed"
	ReasonHostNameNotResolved = "HostNameNotResolved"
	// ReasonHostNameNotRefreshed means that a host name can't be resolved again; the last good answer stays in use.
	ReasonHostNameNotRefreshed = "HostNameNotRefreshed"
	// ReasonOnlyIPv6 means that there is no IPv4 address, so that only EPSV works.
	ReasonOnlyIPv6 = "OnlyIPv6"
	// ReasonLoadBalancerPortError is the reason of package address. While an address is known it is a reason of
	// PassivePortsExposed.
	ReasonLoadBalancerPortError = address.ReasonLoadBalancerPortError
	// ReasonNoLoadBalancer means that the Service has waited for a load balancer's address for longer than load
	// balancers take.
	ReasonNoLoadBalancer = "NoLoadBalancer"
)

// loadBalancerPatience is the time that load balancers may take to give a Service its address: the slowest of the
// large providers need two to three minutes.
const loadBalancerPatience = 3 * time.Minute

// addressResolved is True if the address to advertise is known and the pods that could be asked advertise it.
func addressResolved(o Observed, now time.Time) metav1.Condition {
	const kind = v1alpha1.ConditionAddressResolved
	if o.Address.Reason == address.ReasonLoadBalancerPending && o.Address.Address == "" && loadBalancerOverdue(o, now) {
		return condition(kind, metav1.ConditionFalse, ReasonNoLoadBalancer, noLoadBalancer(o))
	}
	if o.Address.Address == "" {
		return condition(kind, metav1.ConditionFalse, o.Address.Reason, o.Address.Message)
	}
	for i := range o.Pods {
		if p := &o.Pods[i]; p.Address.Reason != "" && !p.Terminating {
			return condition(kind, metav1.ConditionFalse, p.Address.Reason, fmt.Sprintf("pod %s: %s", p.Name, p.Address.Message))
		}
	}
	if o.Address.Lost {
		return condition(kind, metav1.ConditionFalse, o.Address.Reason, o.Address.Message)
	}
	only6, stale, byNode := isIPv6(o.Address.Address), "", false
	for i := range o.Pods {
		p := &o.Pods[i]
		byNode = byNode || p.Address.Address != ""
		if p.Terminating || p.Daemon == nil {
			continue
		}
		want := p.Advertises(&o)
		switch {
		case p.Daemon.AddressError != "" && p.Daemon.AdvertisedIP == "":
			return condition(kind, metav1.ConditionFalse, ReasonHostNameNotResolved, fmt.Sprintf(
				"pod %s can't resolve %s: %s; check the name, or set spec.passive.advertisedAddress to an IP address",
				p.Name, want, clip(p.Daemon.AddressError)))
		case !serves(p.Daemon.AdvertisedIP, want):
			return condition(kind, metav1.ConditionFalse, ReasonAddressNotYetServed, notYetServed(p, want))
		case p.Daemon.AddressError != "" && stale == "":
			stale = fmt.Sprintf("pod %s: %s; what the name last stood for is advertised on", p.Name, clip(p.Daemon.AddressError))
		}
		only6 = only6 || isIPv6(p.Daemon.AdvertisedIP) // a daemon that has an address of each family reports the IPv4 one
	}
	switch {
	case stale != "":
		return condition(kind, metav1.ConditionFalse, ReasonHostNameNotRefreshed, stale)
	case only6:
		return condition(kind, metav1.ConditionTrue, ReasonOnlyIPv6, fmt.Sprintf(
			"EPSV serves clients of %s (%s); PASV can only name IPv4 addresses, of which none is known, and is answered with 425",
			o.Address.Address, o.Address.Source))
	}
	message := fmt.Sprintf("PASV names %s (%s)", o.Address.Address, o.Address.Source)
	if byNode {
		message += ", as each pod names the address of its own node (externalTrafficPolicy is Local)"
	}
	return condition(kind, metav1.ConditionTrue, ReasonAddressResolved, message)
}

// notYetServed returns, for a pod that does not advertise the address, what it advertises instead and, if its daemon
// reports it, why.
func notYetServed(p *Pod, want string) string {
	message := fmt.Sprintf("pod %s does not advertise %s yet", p.Name, want)
	if now := p.advertisedIP(); now != "" && p.Address.Address != "" {
		message += fmt.Sprintf(", the address of its node, by which alone it is reached (externalTrafficPolicy is Local), but %s", now)
	}
	if p.Daemon.PodAddressError != "" {
		message += ": " + clip(p.Daemon.PodAddressError)
	}
	return message
}

// loadBalancerOverdue reports whether the load balancer's address has been awaited for loadBalancerPatience or
// longer.
func loadBalancerOverdue(o Observed, now time.Time) bool {
	was := meta.FindStatusCondition(o.Server.Status.Conditions, v1alpha1.ConditionAddressResolved)
	return was != nil && was.Status == metav1.ConditionFalse &&
		(was.Reason == address.ReasonLoadBalancerPending || was.Reason == ReasonNoLoadBalancer) &&
		now.Sub(was.LastTransitionTime.Time) >= loadBalancerPatience
}

func noLoadBalancer(o Observed) string {
	where := "is a load balancer installed in this cluster, and has it any address left?"
	if class := o.LoadBalancer.Class; class != "" {
		where = fmt.Sprintf("does a load balancer of this cluster serve spec.service.loadBalancerClass %s? (To change it, set spec.service.type to ClusterIP, and then to LoadBalancer with another class.)", class)
	}
	return fmt.Sprintf("no load balancer has given the Service an address for %.0f minutes: %s "+
		"`kubectl describe service -n %s %s` shows what it says; without one, set spec.service.type to NodePort",
		loadBalancerPatience.Minutes(), where, o.Server.Namespace, o.Server.Name)
}

func isIPv6(text string) bool {
	ip, err := netip.ParseAddr(text)
	return err == nil && ip.Unmap().Is6()
}

// serves reports whether a daemon that advertises ip advertises address. If address is a host name, any valid ip
// counts.
func serves(ip, address string) bool {
	got, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	want, err := netip.ParseAddr(address)
	if err != nil {
		return true // address is a host name, which resolved to some IP
	}
	return got.Unmap() == want.Unmap()
}

// clip limits a text that comes from a daemon to 512 bytes.
func clip(text string) string {
	const most = 512
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
