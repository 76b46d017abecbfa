package resources

import (
	"maps"
	"net"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
)

// DaemonImage is the image that the pods run: spec.image, else the operator's own.
func DaemonImage(in Inputs) string {
	if in.Server.Spec.Image != "" {
		return in.Server.Spec.Image
	}
	return in.Image
}

// daemonContainer runs the daemon.
func daemonContainer(in Inputs) *coreac.ContainerApplyConfiguration {
	pullPolicy := in.Server.Spec.Template.ImagePullPolicy
	if pullPolicy == "" {
		pullPolicy = corev1.PullIfNotPresent
	}
	return coreac.Container().
		WithName(ContainerName).
		WithImage(DaemonImage(in)).
		WithImagePullPolicy(pullPolicy).
		WithCommand("/ftpd").
		WithArgs("--config", configDir+"/"+ConfigKey, "--api", net.JoinHostPort("127.0.0.1", strconv.Itoa(APIPort))).
		WithPorts(
			containerPort(ControlPortName, ControlPort),
			// Whether or not it is open, so that it can be without replacing pods.
			containerPort(ImplicitPortName, ImplicitPort),
			containerPort(AdminPortName, AdminPort)).
		WithResources(containerResources(in.Server.Spec.Template.Resources)).
		WithSecurityContext(coreac.SecurityContext().
			WithAllowPrivilegeEscalation(false).
			WithReadOnlyRootFilesystem(true).
			WithCapabilities(coreac.Capabilities().WithDrop("ALL"))).
		WithTerminationMessagePolicy(corev1.TerminationMessageFallbackToLogsOnError).
		WithStartupProbe(probe("/healthz", 1, 60)).
		WithLivenessProbe(probe("/healthz", 10, 6)).
		WithReadinessProbe(probe("/readyz", 2, 2)).
		WithVolumeMounts(volumeMounts()...)
}

func containerPort(name string, port int32) *coreac.ContainerPortApplyConfiguration {
	return coreac.ContainerPort().WithName(name).WithContainerPort(port).WithProtocol(corev1.ProtocolTCP)
}

// probe asks the admin port every so many seconds, and gives up after so many failures in a row.
func probe(path string, period, failures int32) *coreac.ProbeApplyConfiguration {
	return coreac.Probe().
		WithHTTPGet(coreac.HTTPGetAction().WithPath(path).WithPort(intstr.FromString(AdminPortName))).
		WithPeriodSeconds(period).
		WithTimeoutSeconds(max(period/2, 1)).
		WithFailureThreshold(failures)
}

// containerResources are the user's, with a modest request for what the user said nothing about. A
// default request beside a user's limit could be above it, which the API server refuses.
func containerResources(user corev1.ResourceRequirements) *coreac.ResourceRequirementsApplyConfiguration {
	requests := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("50m"),
		corev1.ResourceMemory: resource.MustParse("64Mi"),
	}
	maps.DeleteFunc(requests, func(name corev1.ResourceName, _ resource.Quantity) bool {
		_, limited := user.Limits[name]
		return limited
	})
	maps.Copy(requests, user.Requests)

	out := coreac.ResourceRequirements()
	if len(requests) > 0 {
		out.WithRequests(requests)
	}
	if len(user.Limits) > 0 {
		out.WithLimits(maps.Clone(user.Limits))
	}
	for _, claim := range user.Claims {
		out.WithClaims(as[coreac.ResourceClaimApplyConfiguration](claim))
	}
	return out
}
