package resources

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// nonRoot is the UID and the GID of the daemon, and the group of its volumes.
const nonRoot = 65532

// podTemplate returns the template of the daemon's pods, with the user's fields.
func podTemplate(in Inputs) *coreac.PodTemplateSpecApplyConfiguration {
	user := &in.Server.Spec.Template
	spec := coreac.PodSpec().
		WithContainers(daemonContainer(in)).
		WithVolumes(volumes(in)...).
		WithReadinessGates(coreac.PodReadinessGate().WithConditionType(v1alpha1.RoutedConditionType)).
		WithTerminationGracePeriodSeconds(GracePeriodSeconds(in.Server)).
		// The daemon does not use the API server.
		WithAutomountServiceAccountToken(false).
		// A Service with many ports would become five environment variables for each port.
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

// podSecurity returns the pod's security context. With the container's it satisfies the "restricted" Pod Security
// Standard.
func podSecurity(in Inputs) *coreac.PodSecurityContextApplyConfiguration {
	security := coreac.PodSecurityContext().
		WithRunAsNonRoot(true).
		WithRunAsUser(nonRoot).
		WithRunAsGroup(nonRoot).
		WithFSGroup(nonRoot).
		// Do not change the group of every file at each start: a volume may hold millions.
		WithFSGroupChangePolicy(corev1.FSGroupChangeOnRootMismatch).
		WithSeccompProfile(coreac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))
	if active := in.Server.Spec.Active; active.Enabled && active.SourcePort > 0 {
		// This lets an unprivileged process dial from that port. Kubernetes counts this sysctl as safe: it affects
		// only the pod's own network.
		security.WithSysctls(coreac.Sysctl().
			WithName("net.ipv4.ip_unprivileged_port_start").
			WithValue(strconv.Itoa(int(active.SourcePort))))
	}
	return security
}
