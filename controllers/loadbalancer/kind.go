// Package loadbalancer knows what the load balancers of the large providers allow, so that a range of
// passive ports that won't work is told of before anybody searches for it in a provider's logs.
// Everything in it is pure. The limits and their sources are in docs/passive-range.md.
package loadbalancer

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Kind is a kind of load balancer.
type Kind string

// The kinds whose limits are known.
const (
	// Unknown has no limits that are known.
	Unknown Kind = ""
	// AWSNetwork is an AWS Network Load Balancer (NLB).
	AWSNetwork Kind = "AWS Network Load Balancer"
	// AWSClassic is an AWS Classic Load Balancer, which the AWS cloud provider makes when nothing is said.
	AWSClassic Kind = "AWS Classic Load Balancer"
	// GoogleExternal and GoogleInternal are Google Cloud's passthrough Network Load Balancers.
	GoogleExternal Kind = "external Google Cloud load balancer"
	GoogleInternal Kind = "internal Google Cloud load balancer"
	// Azure is an Azure Load Balancer.
	Azure Kind = "Azure Load Balancer"
)

// Annotations that load balancers are told by.
const (
	awsPrefix     = "service.beta.kubernetes.io/aws-load-balancer-"
	awsType       = awsPrefix + "type"
	awsTargetType = awsPrefix + "nlb-target-type"
	awsAttributes = awsPrefix + "target-group-attributes"
	awsGroups     = awsPrefix + "security-groups"
	azurePrefix   = "service.beta.kubernetes.io/azure-"
	googleBackend = "cloud.google.com/l4-rbs"
)

// classes are load balancer classes of which the kind is known.
var classes = map[string]Kind{
	"service.k8s.aws/nlb":                    AWSNetwork,
	"eks.amazonaws.com/nlb":                  AWSNetwork,
	"networking.gke.io/l4-regional-external": GoogleExternal,
	"networking.gke.io/l4-regional-internal": GoogleInternal,
}

// Detect tells the kind of a Service's load balancer: from what the load balancer itself has answered,
// what the Service asks for, and else from the cloud that the nodes run in. A class that is not known
// is somebody else's, wherever the nodes run.
func Detect(in Input) Kind {
	if kind := byHostname(in.Ingress); kind != Unknown {
		return kind
	}
	if in.Class != "" {
		return classes[in.Class]
	}
	if kind := byAnnotations(in.Annotations); kind != Unknown {
		return kind
	}
	scheme, _, _ := strings.Cut(in.ProviderID, "://")
	switch scheme {
	case "aws":
		return AWSClassic
	case "gce":
		return GoogleExternal
	case "azure":
		return Azure
	}
	return Unknown
}

// byHostname knows AWS's names: NAME.elb.REGION.amazonaws.com is a Network Load Balancer's,
// NAME.REGION.elb.amazonaws.com a classic one's.
func byHostname(ingress []corev1.LoadBalancerIngress) Kind {
	for _, i := range ingress {
		name := strings.TrimSuffix(strings.ToLower(strings.TrimSuffix(i.Hostname, ".")), ".cn")
		rest, amazon := strings.CutSuffix(name, ".amazonaws.com")
		labels := strings.Split(rest, ".")
		switch {
		case !amazon || len(labels) != 3:
		case labels[1] == "elb":
			return AWSNetwork
		case labels[2] == "elb":
			return AWSClassic
		}
	}
	return Unknown
}

func byAnnotations(annotations map[string]string) Kind {
	switch annotations[awsType] {
	case "nlb", "nlb-ip", "external":
		return AWSNetwork
	}
	if internalOnGoogle(annotations) {
		return GoogleInternal
	}
	for key := range annotations {
		switch {
		case strings.HasPrefix(key, awsPrefix):
			return AWSClassic
		case strings.HasPrefix(key, azurePrefix):
			return Azure
		case key == googleBackend:
			return GoogleExternal
		}
	}
	return Unknown
}

func internalOnGoogle(annotations map[string]string) bool {
	for _, key := range []string{"networking.gke.io/load-balancer-type", "cloud.google.com/load-balancer-type"} {
		if strings.EqualFold(annotations[key], "Internal") {
			return true
		}
	}
	return false
}

// HidesClients reports whether a Service's annotations ask for a load balancer that puts its own
// addresses in the place of its clients', whatever the externalTrafficPolicy: an AWS Network Load
// Balancer does with IP targets, unless it is told to preserve the clients'.
func HidesClients(annotations map[string]string) bool {
	if !ipTargets(annotations) {
		return false
	}
	for attribute := range strings.SplitSeq(annotations[awsAttributes], ",") {
		if key, value, _ := strings.Cut(strings.TrimSpace(attribute), "="); key == "preserve_client_ip.enabled" {
			return !strings.EqualFold(value, "true")
		}
	}
	return true
}
