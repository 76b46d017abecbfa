package controllers

import (
	"context"
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ftp-operator/ftp-operator/controllers/portplan"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
)

// withdraw takes the control port from the pods that have begun to end, before anything else is
// done, which may take seconds or fail: nodes have to know it before the pods refuse new sessions.
func (p *pass) withdraw(ctx context.Context) error {
	if p.observed.serviceChild.state == foreign {
		return nil
	}
	p.inputs = resources.Inputs{Server: p.server, ServiceIPFamilies: p.observed.service().Spec.IPFamilies}
	p.plan = portplan.Compute(p.planInput())
	for i := range p.observed.pods {
		one := &p.observed.pods[i]
		if !one.terminating() || !p.leadsTo(one) {
			continue
		}
		if err := p.publish(ctx, one, map[string]types.UID{}); err != nil {
			return err
		}
	}
	return nil
}

// leadsTo reports whether a slice of the pod's says that it is ready.
func (p *pass) leadsTo(one *pod) bool {
	return slices.ContainsFunc(p.observed.slices, func(s discoveryv1.EndpointSlice) bool {
		return metav1.IsControlledBy(&s, one.Pod) && slices.ContainsFunc(s.Endpoints, func(e discoveryv1.Endpoint) bool {
			return e.Conditions.Ready != nil && *e.Conditions.Ready
		})
	})
}
