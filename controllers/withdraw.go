package controllers

import (
	"context"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ftp-operator/ftp-operator/controllers/portplan"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
)

// withdraw removes the control port from pods that have started to terminate or are lost. It runs before everything
// else in the pass, which may take seconds or fail: nodes must know before the pods refuse new sessions.
func (p *pass) withdraw(ctx context.Context) error {
	if p.observed.serviceChild.state == foreign {
		return nil
	}
	p.inputs = resources.Inputs{Server: p.server, ServiceIPFamilies: p.observed.service().Spec.IPFamilies}
	p.plan = portplan.Compute(p.planInput())
	for i := range p.observed.pods {
		one := &p.observed.pods[i]
		if !one.terminating() && !one.lost() || !p.slicesSay(one, false) {
			continue
		}
		if err := p.publish(ctx, one, map[string]types.UID{}); err != nil {
			return err
		}
	}
	return nil
}
