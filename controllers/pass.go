package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/address"
	"github.com/ftp-operator/ftp-operator/controllers/portplan"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// pass is one reconcile of one server.
type pass struct {
	*Reconciler
	// server is the FtpServer as read at the start, or as the last write of its status returned it.
	server *v1alpha1.FtpServer

	// observed is the state of the cluster, which observe fills in.
	observed observed
	// ports is the decision about the passive ports, and plan is their distribution to the pods.
	ports ports
	plan  portplan.Plan
	// address is the address to advertise, and dataPeer the check of data connections.
	address  address.Result
	dataPeer status.DataPeer
	// inputs is what the children are built from.
	inputs resources.Inputs
	// configHash identifies the configuration in the config Secret; empty while the Secret holds none.
	configHash string
	// waiting is true while the first configuration must not be written because spec.tls lacks a certificate.
	waiting bool
	// hashed are the passwords that were read in this pass. unknown is true while there are pods, and a configuration
	// written now would log users out only because their passwords are not hashed yet.
	hashed  map[passwordKey]bool
	unknown bool
	// problems are what prevented children from being applied.
	problems []status.Problem
	// claimRefusal is why the claim is not as declared; the zero value if it is.
	claimRefusal status.ClaimRefusal
	// after is the time after which the next pass starts if the cluster does not change before; 0: not known yet.
	after time.Duration
}

// Reconcile brings one server as close to its declared state as it can, and reports the result in the server's
// status.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	server, err := r.readServer(ctx, req)
	if err != nil {
		return ctrl.Result{}, err
	}
	if server == nil { // the garbage collector deletes its children by their owner references
		r.forget(req)
		return ctrl.Result{}, r.drainDeleted(ctx, req)
	}
	if server.Spec.ClassName != r.Class {
		r.forget(req) // it belongs to another operator
		return ctrl.Result{}, nil
	}
	r.interests.note(server)
	p := &pass{Reconciler: r, server: server}
	if !server.DeletionTimestamp.IsZero() {
		r.forget(req)
		if err := p.drainDeleting(ctx); err != nil {
			return p.failed(ctx, req, err)
		}
		return ctrl.Result{}, nil
	}
	if server.Spec.Suspend {
		return ctrl.Result{}, p.report(ctx, status.Suspended(server, r.now()))
	}
	after, err := p.run(ctx)
	if err != nil {
		return p.failed(ctx, req, err)
	}
	r.failures.succeeded(req.NamespacedName)
	r.overtaken.succeeded(req.NamespacedName)
	return ctrl.Result{RequeueAfter: after}, nil
}

// run executes the phases of the pass: observe, plan, apply, status. It returns the time until the next pass.
func (p *pass) run(ctx context.Context) (time.Duration, error) {
	if err := p.observe(ctx); err != nil {
		return 0, err
	}
	if err := p.withdraw(ctx); err != nil {
		return 0, err
	}
	if err := p.decidePorts(ctx); err != nil {
		return 0, err
	}
	if err := p.makePlan(ctx); err != nil {
		return 0, err
	}
	users, err := p.users(ctx)
	if err == nil {
		users, err = p.awaitHashes(ctx, users)
	}
	if err != nil {
		return 0, err
	}
	certs, err := p.certificates(ctx)
	if err != nil {
		return 0, err
	}
	p.waiting = certs.wanting
	if err := p.configure(ctx, users, certs); err != nil {
		return 0, err
	}
	p.checkScale()
	if err := p.apply(ctx); err != nil {
		return 0, err
	}
	if err := p.hold(ctx); err != nil {
		return 0, err
	}
	if err := p.applyPods(ctx); err != nil {
		return 0, err
	}
	if err := p.replace(ctx); err != nil {
		return 0, err
	}
	seen, err := p.summarize(ctx, users.report, certs.report)
	if err != nil {
		return 0, err
	}
	if err := p.report(ctx, status.Compute(seen, p.now())); err != nil {
		return 0, err
	}
	p.lookAgain(p.progress.next(p.server.UID, seen, p.Clock.Now()))
	return p.after, nil
}

// lookAgain makes the next pass start after that time at the latest.
func (p *pass) lookAgain(after time.Duration) {
	if p.after == 0 || after < p.after {
		p.after = after
	}
}

// configure computes the daemon's configuration and the other inputs from which the children are made.
func (p *pass) configure(ctx context.Context, users accounts, certs certificates) error {
	p.address = p.findAddress()
	service := p.observed.service()
	p.inputs = resources.Inputs{
		Server: p.asScaled(), ScaledBy: p.scaledBy(), Image: p.Image, Operator: p.Operator,
		Exposed:           p.plan.Exposed,
		AdvertisedAddress: p.findConfigured().Address,
		ClusterIP:         address.ClusterIP(service.Spec.ClusterIPs),
		ClaimAccessModes:  p.observed.claimModes(),
		ServiceIPFamilies: service.Spec.IPFamilies,
		ServiceIngress:    service.Status.LoadBalancer.Ingress,
		LoadBalancer:      p.loadBalancer(ctx),
		Certificates:      certs.pairs,
		ClientCA:          certs.clientCA,
		PasswordSources:   joinSourceDigests(users.sources),
	}
	p.inputs.TemplateRange = portplan.TemplateRange(
		p.observed.deployment().Spec.Template.Annotations[v1alpha1.PassiveRangeAnnotation], p.planInput(), p.plan)

	daemon := resources.DaemonConfig(p.inputs, users.ready)
	p.dataPeer = status.DataPeer{
		Check: v1alpha1.DataPeerCheck(daemon.DataPeer()), Reason: resources.DataPeerReason(p.inputs, daemon),
	}
	file, err := daemon.Marshal()
	if err != nil {
		return fmt.Errorf("writing the daemon's configuration: %w", err)
	}
	p.inputs.ConfigFile = file
	return nil
}

// port returns the control port that clients dial; for type NodePort it is 0 until the Service has one.
func (p *pass) port() int32 {
	return p.dialled(resources.ControlPortName, resources.ServicePort(p.server))
}

// implicitPort returns the port for implicit TLS that clients dial; 0 if there is none.
func (p *pass) implicitPort() int32 {
	implicit := resources.ImplicitTLS(p.server)
	if implicit == nil || len(p.inputs.Certificates) == 0 {
		return 0
	}
	return p.dialled(resources.ImplicitPortName, implicit.Port)
}

// dialled returns the port that clients dial to reach the given port of the Service.
func (p *pass) dialled(name string, servicePort int32) int32 {
	if resources.ServiceType(p.server) != corev1.ServiceTypeNodePort {
		return servicePort
	}
	for _, port := range p.observed.service().Spec.Ports {
		if port.Name == name {
			return port.NodePort
		}
	}
	return 0
}

// failed handles an error that a retry may fix. The first error in a row is only logged, so that a short disturbance
// does not show; from the second on the status reports it. If the cluster changed during the pass, that is not a
// failure: the pass is repeated.
func (p *pass) failed(ctx context.Context, req ctrl.Request, err error) (ctrl.Result, error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctrl.Result{}, nil // the operator ends; the next one starts from the beginning
	}
	var changed *changedError
	if errors.As(err, &changed) || apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		log.FromContext(ctx).V(1).Info("the cluster changed meanwhile, beginning again", "why", err.Error())
		return ctrl.Result{RequeueAfter: p.overtaken.again(req.NamespacedName)}, nil
	}
	if p.failures.failed(req.NamespacedName) > 1 {
		if reportErr := p.report(ctx, status.Failed(p.server, err.Error(), p.now())); reportErr != nil {
			log.FromContext(ctx).V(1).Info("can't report the failure", "why", reportErr.Error())
		}
	}
	return ctrl.Result{}, err
}

// changedError says that what was read has changed since, and that the pass must be repeated.
type changedError struct{ what string }

func (e *changedError) Error() string { return e.what }
