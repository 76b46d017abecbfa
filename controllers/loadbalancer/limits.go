package loadbalancer

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Input describes the Service whose load balancer limits are looked up.
type Input struct {
	// Type is the type of the Service. Only type LoadBalancer has a load balancer; type NodePort has node ports.
	Type corev1.ServiceType
	// Class and Annotations are the Service's, and Ingress is what the load balancer has reported, if anything.
	Class       string
	Annotations map[string]string
	Ingress     []corev1.LoadBalancerIngress
	// ProviderID is a node's spec.providerID, as in aws:///eu-west-1a/i-0123; empty if none could be read.
	ProviderID string
	// ControlPorts and PassivePorts are the numbers of such ports of the Service. DeclaredPorts is the size of the
	// declared range: it is less than PassivePorts while pods still hold ports of an older range.
	ControlPorts, PassivePorts, DeclaredPorts int
	// SourceRanges are the networks, in CIDR notation, to which clients are limited; empty: no limit.
	SourceRanges []string
	// Families is the number of IP families of the Service; 0 counts as 1.
	Families int
	// NoNodePorts is true if the Service has no node ports.
	NoNodePorts bool
}

// These are the reasons of findings.
const (
	ReasonTooManyListeners     = "TooManyListeners"
	ReasonTooManySecurityRules = "TooManySecurityGroupRules"
	ReasonTooManyRules         = "TooManyRules"
	ReasonManyNodePorts        = "ManyNodePorts"
	ReasonWholeRangeForwarded  = "WholeRangeForwarded"
)

// Severity says how bad a finding is.
type Severity int

// These are the severities, mildest first.
const (
	// Note is information.
	Note Severity = iota
	// Warning means that the load balancer works, at a price.
	Warning
	// Exceeded means that a limit is exceeded and the load balancer won't work, or not for all ports.
	Exceeded
)

// Finding is one result of the check of the number of ports.
type Finding struct {
	Severity        Severity
	Reason, Message string
}

// These are the providers' limits. awsClassicListeners and awsGroupRules are quotas that AWS raises on request.
const (
	awsNetworkListeners = 50
	awsClassicListeners = 100
	awsGroupRules       = 60
	googleDiscretePorts = 5
	azureRulesOfNIC     = 300
	// nodePorts is the default number of a cluster's node ports (30000-32767), and manyNodePorts the number above
	// which one server gets a warning.
	nodePorts     = 2768
	manyNodePorts = nodePorts / 4
)

// Findings returns the findings for a Service, the worst first.
func Findings(in Input) []Finding {
	ports := in.ControlPorts + in.PassivePorts
	kind := Unknown
	if in.Type == corev1.ServiceTypeLoadBalancer {
		kind = Detect(in)
	}
	var found []Finding
	switch kind {
	case AWSNetwork:
		found = append(found, listeners(in, kind, awsNetworkListeners, "and AWS raises that for nobody")...)
		found = append(found, securityGroup(in, ports)...)
	case AWSClassic:
		found = append(found, listeners(in, kind, awsClassicListeners, "unless AWS has raised the quota")...)
		found = append(found, securityGroup(in, ports)...)
	case Azure:
		if rules := ports * max(in.Families, 1); rules > azureRulesOfNIC {
			found = append(found, Finding{Exceeded, ReasonTooManyRules, fmt.Sprintf(
				"Azure allows a node %d load balancing rules, of all Services together, and this Service needs %d: %s",
				azureRulesOfNIC, rules, narrow(in, azureRulesOfNIC/max(in.Families, 1)))})
		}
	case GoogleExternal, GoogleInternal:
		if ports > googleDiscretePorts {
			how := "every port from the lowest to the highest of the Service"
			if kind == GoogleInternal {
				how = "all ports"
			}
			found = append(found, Finding{Note, ReasonWholeRangeForwarded, fmt.Sprintf(
				"with more than %d ports an %s forwards %s, and no other forwarding rule can have them on its address; its firewall rule names the Service's ports only",
				googleDiscretePorts, kind, how)})
		}
	}
	found = append(found, manyPorts(in, ports)...)
	slices.SortStableFunc(found, func(a, b Finding) int { return cmp.Compare(b.Severity, a.Severity) })
	return found
}

func listeners(in Input, kind Kind, most int, raised string) []Finding {
	ports := in.ControlPorts + in.PassivePorts
	if ports <= most {
		return nil
	}
	return []Finding{{Exceeded, ReasonTooManyListeners, fmt.Sprintf(
		"an %s has %d listeners at most, %s, and the Service needs %d, one for each port: %s",
		kind, most, raised, ports, narrow(in, most))}}
}

// securityGroup counts the rules that let clients in: one for each port and network, counted separately for IPv4 and
// IPv6. Security groups that the user supplies are not counted.
func securityGroup(in Input, ports int) []Finding {
	if in.Annotations[awsGroups] != "" {
		return nil
	}
	v4, v6 := 0, 0
	for _, text := range in.SourceRanges {
		if prefix, err := netip.ParsePrefix(text); err == nil && prefix.Addr().Is6() {
			v6++
		} else {
			v4++
		}
	}
	networks := max(v4, v6, 1)
	if ports*networks <= awsGroupRules {
		return nil
	}
	return []Finding{{Exceeded, ReasonTooManySecurityRules, fmt.Sprintf(
		"an AWS security group has %d rules for each IP family unless the quota was raised, and the Service needs %d, one for each port and source range: %s, name fewer spec.service.loadBalancerSourceRanges, bring security groups of your own (annotation %s), or have the quota raised",
		awsGroupRules, ports*networks, narrow(in, awsGroupRules/networks), awsGroups)}}
}

// narrow returns what to do to have no more than most ports in all.
func narrow(in Input, most int) string {
	passive := most - in.ControlPorts
	switch {
	case in.DeclaredPorts <= passive:
		return fmt.Sprintf("that is for as long as pods hold passive ports beyond the %d declared ones, and ends with those pods", in.DeclaredPorts)
	case passive < 2:
		return "too few are left for passive ports"
	}
	return fmt.Sprintf("set spec.passive.portRange to %d ports or fewer", passive)
}

func manyPorts(in Input, ports int) []Finding {
	spare := ""
	switch in.Type {
	case corev1.ServiceTypeNodePort:
	case corev1.ServiceTypeLoadBalancer:
		if in.NoNodePorts {
			return nil
		}
		spare = ", or set spec.service.allocateLoadBalancerNodePorts to false if the load balancer does without them"
	default:
		return nil
	}
	if ports <= manyNodePorts {
		return nil
	}
	return []Finding{{Warning, ReasonManyNodePorts, fmt.Sprintf(
		"the Service takes %d of the cluster's node ports, of which there are %d by default: narrow spec.passive.portRange%s",
		ports, nodePorts, spare)}}
}
