package controllers

import (
	"fmt"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/apply"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// scaledBy returns the field manager that sets the Deployment's replicas in the operator's place; empty if there is
// none and spec.replicas counts.
//
// An autoscaler should target the FtpServer, whose validation rules know what may be scaled and how far. An
// autoscaler that targets the Deployment writes through its scale subresource and owns the field from then on. If the
// operator wrote the number back, the two would change it for ever. So the operator leaves the number alone until it
// equals spec.replicas. From then on both own the field, and spec.replicas counts until the number is changed through
// the subresource again. A number that a user wrote into the Deployment itself is written back like any other edit.
func (p *pass) scaledBy() string {
	if p.observed.deploymentChild.state != ours {
		return ""
	}
	deployment := p.observed.deployment()
	if deployment.Spec.Replicas == nil || *deployment.Spec.Replicas == resources.Replicas(p.server) {
		return ""
	}
	owners, err := apply.Owners(deployment, "spec", "replicas")
	if err != nil {
		return ""
	}
	scaler := ""
	for _, o := range owners {
		switch {
		case o.Applied && o.Subresource == "" && o.Manager == v1alpha1.FieldManager:
			return ""
		case o.Subresource == "scale":
			scaler = o.Manager
		}
	}
	return scaler
}

// asScaled returns the server with the number of replicas that counts.
func (p *pass) asScaled() *v1alpha1.FtpServer {
	if p.scaledBy() == "" {
		return p.server
	}
	server := p.server.DeepCopy()
	server.Spec.Replicas = p.observed.deployment().Spec.Replicas
	return server
}

// checkScale adds a problem if an autoscaler set a number of pods that validation would refuse as spec.replicas.
func (p *pass) checkScale() {
	by := p.scaledBy()
	if by == "" {
		return
	}
	server := p.asScaled()
	why := resources.TooManyReplicas(server)
	if why == "" {
		return
	}
	p.problems = append(p.problems, status.Problem{
		Kind: status.ProblemScaled, Object: p.observed.deploymentChild.String(),
		Message: fmt.Sprintf("%s scaled it to %d, but %s; aim autoscalers at the FtpServer, which keeps them within what works",
			by, resources.Replicas(server), why),
	})
}
