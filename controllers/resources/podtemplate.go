package resources

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// nonRoot is the user, group and volume group of the daemon.
const nonRoot = 65532

// podTemplate of the daemon's pods, with the user's fields.
func podTemplate(in Inputs) *coreac.PodTemplateSpecApplyConfiguration {
	user := &in.Server.Spec.Template
	spec := coreac.PodSpec().
		WithContainers(daemonContainer(in)).
		WithVolumes(volumes(in)...).
		WithReadinessGates(coreac.PodReadinessGate().WithConditionType(v1alpha1.RoutedConditionType)).
		WithTerminationGracePeriodSeconds(GracePeriodSeconds(in.Server)).
		// The daemon has no business with the API server.
		WithAutomountServiceAccountToken(false).
		// A Service of many ports becomes five environment variables a port.
		WithEnableServiceLinks(false).
		WithSecurityContext(podSecurity(in))
	schedule(in, spec)
	if len(user.NodeSelector) > 0 {
		spec.WithNodeSelector(user.NodeSelector)
	}
	for i := range user.Tolerations {
		spec.WithTolerations(as[coreac.TolerationApplyConfiguration](user.Tolerations[i]))
	}
	if user.PriorityClassName != "" {
		spec.WithPriorityClassName(user.PriorityClassName)
	}
	for _, secret := range user.ImagePullSecrets {
		spec.WithImagePullSecrets(coreac.LocalObjectReference().WithName(secret.Name))
	}

	annotations := userAnnotations(user.Metadata.Annotations)
	annotations[v1alpha1.PassiveRangeAnnotation] = in.TemplateRange
	return coreac.PodTemplateSpec().
		WithLabels(userLabels(in.Server, user.Metadata.Labels)).
		WithAnnotations(annotations).
		WithSpec(spec)
}

// podSecurity satisfies the "restricted" Pod Security Standard, with the container's.
func podSecurity(in Inputs) *coreac.PodSecurityContextApplyConfiguration {
	security := coreac.PodSecurityContext().
		WithRunAsNonRoot(true).
		WithRunAsUser(nonRoot).
		WithRunAsGroup(nonRoot).
		WithFSGroup(nonRoot).
		// Not file by file at every start: a volume may hold millions.
		WithFSGroupChangePolicy(corev1.FSGroupChangeOnRootMismatch).
		WithSeccompProfile(coreac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))
	if active := in.Server.Spec.Active; active.Enabled && active.SourcePort > 0 {
		// Lets a process without rights dial from that port. Safe in the kubelet's sense: it is the
		// pod's own network's.
		security.WithSysctls(coreac.Sysctl().
			WithName("net.ipv4.ip_unprivileged_port_start").
			WithValue(strconv.Itoa(int(active.SourcePort))))
	}
	return security
}
