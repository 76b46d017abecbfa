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

// DaemonImage returns the image that the pods run: spec.image, or else the operator's default.
func DaemonImage(in Inputs) string {
	if in.Server.Spec.Image != "" {
		return in.Server.Spec.Image
	}
	return in.Image
}

// daemonContainer returns the container that runs the daemon.
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
			// The port is listed whether or not it is open, so that opening it does not replace the pods.
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

// probe returns a probe of the admin port every period seconds, which fails after so many failures in a row.
func probe(path string, period, failures int32) *coreac.ProbeApplyConfiguration {
	return coreac.Probe().
		WithHTTPGet(coreac.HTTPGetAction().WithPath(path).WithPort(intstr.FromString(AdminPortName))).
		WithPeriodSeconds(period).
		WithTimeoutSeconds(max(period/2, 1)).
		WithFailureThreshold(failures)
}

// containerResources returns the user's resources. It adds a small default request for each of CPU and memory for
// which the user gave neither a request nor a limit: a default request could exceed the user's limit, which the API
// server refuses.
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
