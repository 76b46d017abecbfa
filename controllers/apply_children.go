package controllers

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// apply brings the children to their desired state, each after the ones that it needs. The Deployment mounts the
// config Secret and the claim, so it is not applied while either belongs to another owner.
func (p *pass) apply(ctx context.Context) error {
	o := &p.observed
	configured, err := p.applyConfig(ctx)
	if err != nil {
		return err
	}
	stored, err := p.applyClaim(ctx)
	if err != nil {
		return err
	}
	if policy := resources.NetworkPolicy(p.inputs); policy == nil {
		err = p.remove(ctx, o.policyChild)
	} else {
		_, err = p.ensure(ctx, o.policyChild, policy)
	}
	if err != nil {
		return err
	}
	if budget := resources.PodDisruptionBudget(p.inputs); budget == nil {
		err = p.remove(ctx, o.budgetChild)
	} else {
		_, err = p.ensure(ctx, o.budgetChild, budget)
	}
	if err != nil {
		return err
	}
	if p.ports.blocked {
		// The API server would refuse the Service. A new server does not start without it; a server that is running
		// goes on with the Service that it has.
		stored = stored && o.deploymentChild.state != absent
	} else if err := p.applyService(ctx); err != nil {
		return err
	}
	if err := p.dropSelector(ctx); err != nil {
		return err
	}
	if p.refuse() {
		return nil // running pods stay as they are
	}
	if configured && stored {
		if _, err := p.ensure(ctx, o.deploymentChild, resources.Deployment(p.inputs)); err != nil {
			return err
		}
	}
	return nil
}

// refuse adds what the policy refuses to the problems, and reports whether it refuses anything. The policy is about
// the pods only: users, certificates and routing of the running pods are kept up to date.
func (p *pass) refuse() bool {
	refused := p.Policy.Check(p.server, p.Image)
	for _, r := range refused {
		p.problems = append(p.problems, status.Problem{Kind: status.ProblemNotAllowed, Object: r.Field, Message: r.Message})
	}
	return len(refused) > 0
}

// applyConfig writes the config Secret and reports whether it exists. It does not write a configuration that the
// daemon would refuse; the pods then go on with the old one. It does not write the first configuration while a
// certificate is missing, since a server that is declared with TLS must not start without it. It writes none while
// pods serve users whose passwords are not hashed yet.
func (p *pass) applyConfig(ctx context.Context) (bool, error) {
	secret := p.observed.secretChild
	if (p.waiting || p.unknown) && secret.state == absent {
		return false, nil
	}
	if p.unknown {
		log.FromContext(ctx).Info("the configuration is not written before the passwords are hashed")
	} else if _, err := config.Parse(p.inputs.ConfigFile); err != nil {
		p.problems = append(p.problems, status.Problem{
			Kind: status.ProblemRejected, Object: "configuration",
			Message: fmt.Sprintf("the daemon would refuse what the spec asks for: %v; change the spec (the old configuration serves on)", err),
		})
	} else if _, err := p.ensure(ctx, secret, resources.ConfigSecret(p.inputs)); err != nil {
		return false, err
	}
	if secret.state != ours {
		return false, nil
	}
	p.configHash = config.Hash(p.observed.secret().Data[resources.ConfigKey])
	return true, nil
}

func (p *pass) applyService(ctx context.Context) error {
	before := len(p.problems)
	if _, err := p.ensure(ctx, p.observed.serviceChild, resources.Service(p.inputs)); err != nil {
		return err
	}
	for _, problem := range p.problems[before:] {
		if p.refused.note(p.server.UID, problem.Message) && p.server.Spec.Passive.PortCount > 0 {
			return &changedError{"a node port that was chosen is held by a Service that the operator does not see"}
		}
	}
	return nil
}

// dropSelector removes the selector from our Service, if it has one. The operator does not own that field, so
// server-side apply leaves a selector that a user put there. With a selector the cluster creates EndpointSlices of
// its own, which route passive ports to any pod. dropForeignRoutes deletes the ones that remain.
func (p *pass) dropSelector(ctx context.Context) error {
	service := p.observed.service()
	if p.observed.serviceChild.state != ours || len(service.Spec.Selector) == 0 {
		return nil
	}
	p.routes.suspect(p.server.UID, p.Clock.Now())
	patch := fmt.Appendf(nil, `{"metadata":{"uid":%q},"spec":{"selector":null}}`, service.UID)
	err := p.Client.Patch(ctx, service, client.RawPatch(types.MergePatchType, patch), fieldOwner)
	if err != nil {
		return fmt.Errorf("taking the selector off %s: %w", p.observed.serviceChild, err)
	}
	p.fresh.wrote(kindService, service)
	if err := p.deleteEndpoints(ctx); err != nil {
		return err
	}
	log.FromContext(ctx).Info("took a selector off the Service, which must have none", "service", service.Name)
	return nil
}
