package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/address"
	"github.com/ftp-operator/ftp-operator/controllers/children"
	"github.com/ftp-operator/ftp-operator/controllers/loadbalancer"
	"github.com/ftp-operator/ftp-operator/controllers/passwords"
	"github.com/ftp-operator/ftp-operator/controllers/portplan"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// desired is what the children are to be.
type desired struct {
	// inputs are what the children are built from.
	inputs resources.Inputs
	// address is the address to advertise, and dataPeer the check of data connections.
	address  address.Result
	dataPeer status.DataPeer
	// waiting is true while the first configuration must not be written because spec.tls lacks a certificate, and
	// unknown while none must be written because passwords are not hashed yet.
	waiting, unknown bool
}

// configure computes the daemon's configuration and the other inputs from which the children are made.
func configure(ctx context.Context, s scope, o *observed, ports portDecision, plan portplan.Plan, users accounts, certs certificates) (desired, error) {
	want := desired{address: findAddress(s, o), waiting: certs.wanting, unknown: users.unknown}
	service := o.service()
	want.inputs = resources.Inputs{
		Server: o.asScaled(s.server), ScaledBy: o.scaledBy(s.server), Image: s.Image, Operator: s.Operator,
		Exposed:           plan.Exposed,
		AdvertisedAddress: findConfigured(s, o, want.address).Address,
		ClusterIP:         address.ClusterIP(service.Spec.ClusterIPs),
		ClaimAccessModes:  o.claimModes(),
		ServiceIPFamilies: service.Spec.IPFamilies,
		ServiceIngress:    service.Status.LoadBalancer.Ingress,
		LoadBalancer:      loadBalancer(ctx, s, o, ports, plan),
		Certificates:      certs.pairs,
		ClientCA:          certs.clientCA,
		PasswordSources:   passwords.JoinSources(users.sources),
	}
	want.inputs.TemplateRange = portplan.TemplateRange(
		o.deployment().Spec.Template.Annotations[v1alpha1.PassiveRangeAnnotation], planInput(s, o, ports.usable), plan)

	daemon := resources.DaemonConfig(want.inputs, users.ready)
	want.dataPeer = status.DataPeer{
		Check: v1alpha1.DataPeerCheck(daemon.DataPeer()), Reason: resources.DataPeerReason(want.inputs, daemon),
	}
	file, err := daemon.Marshal()
	if err != nil {
		return want, fmt.Errorf("writing the daemon's configuration: %w", err)
	}
	want.inputs.ConfigFile = file
	return want, nil
}

// loadBalancer collects the input for the limits of the Service's load balancer. It reads the Service as observed,
// since others may have added a class or annotations to it.
func loadBalancer(ctx context.Context, s scope, o *observed, ports portDecision, plan portplan.Plan) loadbalancer.Input {
	service := o.service()
	in := loadbalancer.Input{
		Type:          resources.ServiceType(s.server),
		Annotations:   service.Annotations,
		Ingress:       service.Status.LoadBalancer.Ingress,
		ControlPorts:  1,
		PassivePorts:  len(plan.Exposed),
		DeclaredPorts: len(ports.usable),
		SourceRanges:  service.Spec.LoadBalancerSourceRanges,
		Families:      len(service.Spec.IPFamilies),
	}
	if class := service.Spec.LoadBalancerClass; class != nil {
		in.Class = *class
	}
	if resources.ImplicitTLS(s.server) != nil {
		in.ControlPorts++
	}
	if allocate := service.Spec.AllocateLoadBalancerNodePorts; allocate != nil {
		in.NoNodePorts = !*allocate
	}
	if in.Type == corev1.ServiceTypeLoadBalancer && s.nodes.Allowed {
		in.ProviderID = s.nodes.ProviderID(ctx, s.Live, s.Clock.Now())
	}
	return in
}

// applied is what applyChildren did.
type applied struct {
	findings
	// configHash identifies the configuration in the config Secret; empty while the Secret holds none.
	configHash string
	// claimRefusal is why the claim is not as declared; the zero value if it is.
	claimRefusal status.ClaimRefusal
}

// applyChildren brings the children to their desired state, each after the ones that it needs. The Deployment mounts
// the config Secret and the claim, so it is not applied while either belongs to another owner.
func applyChildren(ctx context.Context, s scope, o *observed, ports portDecision, want desired) (applied, error) {
	var did applied
	did.problems = tooManyReplicas(s.server, o)
	configured, err := applyConfig(ctx, s, o, want, &did)
	if err != nil {
		return did, err
	}
	stored, err := applyClaim(ctx, s, o, want.inputs, &did)
	if err != nil {
		return did, err
	}
	if policy := resources.NetworkPolicy(want.inputs); policy == nil {
		err = s.children.Remove(ctx, o.child(children.KindPolicy))
	} else {
		_, err = did.ensure(ctx, s, o.child(children.KindPolicy), policy)
	}
	if err != nil {
		return did, err
	}
	if budget := resources.PodDisruptionBudget(want.inputs); budget == nil {
		err = s.children.Remove(ctx, o.child(children.KindBudget))
	} else {
		_, err = did.ensure(ctx, s, o.child(children.KindBudget), budget)
	}
	if err != nil {
		return did, err
	}
	if ports.blocked {
		// The API server would refuse the Service. A new server does not start without it; a server that is running
		// goes on with the Service that it has.
		stored = stored && o.child(children.KindDeployment).State != children.Absent
	} else if err := applyService(ctx, s, o, want.inputs, &did); err != nil {
		return did, err
	}
	if err := dropSelector(ctx, s, o); err != nil {
		return did, err
	}
	refused := notAllowed(s)
	did.problems = append(did.problems, refused...)
	if len(refused) > 0 {
		return did, nil // running pods stay as they are
	}
	if configured && stored {
		if _, err := did.ensure(ctx, s, o.child(children.KindDeployment), resources.Deployment(want.inputs)); err != nil {
			return did, err
		}
	}
	return did, nil
}

// ensure applies one child, adds what that found, and reports whether the child exists.
func (f *findings) ensure(ctx context.Context, s scope, c *children.Child, desired runtime.ApplyConfiguration) (bool, error) {
	result, err := s.children.Ensure(ctx, s.server, c, desired)
	f.addResult(result)
	return result.Exists, err
}

// notAllowed returns what the policy refuses. The policy is about the pods only: users, certificates and routing of
// the running pods are kept up to date.
func notAllowed(s scope) []status.Problem {
	var problems []status.Problem
	for _, r := range s.Policy.Check(s.server, s.Image) {
		problems = append(problems, status.Problem{Kind: status.ProblemNotAllowed, Object: r.Field, Message: r.Message})
	}
	return problems
}

// tooManyReplicas returns a problem if an autoscaler set a number of pods that validation would refuse as
// spec.replicas.
func tooManyReplicas(server *v1alpha1.FtpServer, o *observed) []status.Problem {
	by := o.scaledBy(server)
	if by == "" {
		return nil
	}
	scaled := o.asScaled(server)
	why := resources.TooManyReplicas(scaled)
	if why == "" {
		return nil
	}
	return []status.Problem{{
		Kind: status.ProblemScaled, Object: o.child(children.KindDeployment).String(),
		Message: fmt.Sprintf("%s scaled it to %d, but %s; aim autoscalers at the FtpServer, which keeps them within what works",
			by, resources.Replicas(scaled), why),
	}}
}

// applyConfig writes the config Secret and reports whether it exists. It does not write a configuration that the
// daemon would refuse; the pods then go on with the old one. It does not write the first configuration while a
// certificate is missing, since a server that is declared with TLS must not start without it. It writes none while
// pods serve users whose passwords are not hashed yet.
func applyConfig(ctx context.Context, s scope, o *observed, want desired, did *applied) (bool, error) {
	secret := o.child(children.KindSecret)
	if (want.waiting || want.unknown) && secret.State == children.Absent {
		return false, nil
	}
	if want.unknown {
		log.FromContext(ctx).Info("the configuration is not written before the passwords are hashed")
	} else if _, err := config.Parse(want.inputs.ConfigFile); err != nil {
		did.problems = append(did.problems, status.Problem{
			Kind: status.ProblemRejected, Object: "configuration",
			Message: fmt.Sprintf("the daemon would refuse what the spec asks for: %v; change the spec (the old configuration serves on)", err),
		})
	} else if _, err := did.ensure(ctx, s, secret, resources.ConfigSecret(want.inputs)); err != nil {
		return false, err
	}
	if secret.State != children.Ours {
		return false, nil
	}
	did.configHash = config.Hash(o.secret().Data[resources.ConfigKey])
	return true, nil
}

func applyService(ctx context.Context, s scope, o *observed, in resources.Inputs, did *applied) error {
	result, err := s.children.Ensure(ctx, s.server, o.child(children.KindService), resources.Service(in))
	did.addResult(result)
	if err != nil {
		return err
	}
	for _, problem := range result.Problems {
		if s.refused.Note(s.server.UID, problem.Message) && s.server.Spec.Passive.PortCount > 0 {
			return &children.ChangedError{What: "a node port that was chosen is held by a Service that the operator does not see"}
		}
	}
	return nil
}
