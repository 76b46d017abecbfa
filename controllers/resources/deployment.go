package resources

import (
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
)

// Deployment returns the Deployment of the pods. Its name is the server's.
//
// The pod template does not depend on the number of replicas; otherwise scaling would roll every pod.
func Deployment(in Inputs) *appsac.DeploymentApplyConfiguration {
	server := in.Server
	spec := appsac.DeploymentSpec()
	if in.ScaledBy == "" {
		spec.WithReplicas(Replicas(server))
	}
	return appsac.Deployment(DeploymentName(server), server.Namespace).
		WithLabels(Labels(server)).
		WithOwnerReferences(serverOwner(server)).
		WithSpec(spec.
			WithSelector(metaac.LabelSelector().WithMatchLabels(SelectorLabels(server))).
			WithStrategy(strategy(in)).
			WithRevisionHistoryLimit(3).
			// A pod may have to wait for ports or a volume until a draining pod is gone; that is not a failure.
			// minReadySeconds stays 0: the readiness gate delays the rollout until the pod is routed, and the lame
			// duck time of a draining pod covers the propagation delay.
			WithProgressDeadlineSeconds(int32(GracePeriodSeconds(server) + progressSeconds)).
			WithTemplate(podTemplate(in)))
}
