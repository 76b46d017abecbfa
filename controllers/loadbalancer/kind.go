// Package loadbalancer knows what the load balancers of the large providers allow, so that the operator reports a
// range of passive ports that won't work, and users need not search a provider's logs. It is pure. The limits and
// their sources are in docs/passive-range.md.
package loadbalancer

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Kind is a kind of load balancer.
type Kind string

// These are the kinds whose limits are known.
const (
	// Unknown is a load balancer without known limits.
	Unknown Kind = ""
	// AWSNetwork is an AWS Network Load Balancer (NLB).
	AWSNetwork Kind = "AWS Network Load Balancer"
	// AWSClassic is an AWS Classic Load Balancer, which the AWS cloud provider makes if no other type is requested.
	AWSClassic Kind = "AWS Classic Load Balancer"
	// GoogleExternal and GoogleInternal are Google Cloud's passthrough Network Load Balancers.
	GoogleExternal Kind = "external Google Cloud load balancer"
	GoogleInternal Kind = "internal Google Cloud load balancer"
	// Azure is an Azure Load Balancer.
	Azure Kind = "Azure Load Balancer"
)

// These annotations configure load balancers.
const (
	awsPrefix     = "service.beta.kubernetes.io/aws-load-balancer-"
	awsType       = awsPrefix + "type"
	awsTargetType = awsPrefix + "nlb-target-type"
	awsAttributes = awsPrefix + "target-group-attributes"
	awsGroups     = awsPrefix + "security-groups"
	azurePrefix   = "service.beta.kubernetes.io/azure-"
	googleBackend = "cloud.google.com/l4-rbs"
)

// classes are the load balancer classes whose kind is known.
var classes = map[string]Kind{
	"service.k8s.aws/nlb":                    AWSNetwork,
	"eks.amazonaws.com/nlb":                  AWSNetwork,
	"networking.gke.io/l4-regional-external": GoogleExternal,
	"networking.gke.io/l4-regional-internal": GoogleInternal,
}

// Detect returns the kind of a Service's load balancer. It derives the kind from the host name that the load balancer
// has reported, or else from the class and annotations of the Service, or else from the cloud in which the nodes run.
// A class that is not in classes belongs to another provider, wherever the nodes run.
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

// byHostname recognizes AWS's host names: NAME.elb.REGION.amazonaws.com is a Network Load Balancer, and
// NAME.REGION.elb.amazonaws.com is a classic one.
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

// HidesClients reports whether a Service's annotations request a load balancer that replaces its clients' addresses
// with its own, whatever the externalTrafficPolicy. An AWS Network Load Balancer with IP targets does that, unless it
// is configured to preserve client IPs.
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
