package controllers

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/address"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
)

// These are the kinds of the objects that are read and written.
const (
	kindServer     = "FtpServer"
	kindDeployment = "Deployment"
	kindService    = "Service"
	kindPolicy     = "NetworkPolicy"
	kindBudget     = "PodDisruptionBudget"
	kindSecret     = "Secret"
	kindClaim      = "PersistentVolumeClaim"
	kindSlice      = "EndpointSlice"
	kindPod        = "Pod"
)

// fieldOwner names the operator's field manager in every patch and apply.
const fieldOwner = client.FieldOwner(v1alpha1.FieldManager)

// observed is the state of the cluster as one pass sees it.
type observed struct {
	deploymentChild, serviceChild, policyChild, budgetChild, secretChild *child
	// claim is the claim that is mounted, whether the operator created it or the spec names it; nil for an emptyDir.
	claim *child
	// slices are the EndpointSlices that carry the server's label.
	slices []discoveryv1.EndpointSlice
	// pods are the server's own pods whose containers have not ended for good.
	pods []pod
	// nodes are the cluster's nodes; empty if they are not needed or may not be read.
	nodes []address.Node
}

func (o *observed) deployment() *appsv1.Deployment {
	return o.deploymentChild.object.(*appsv1.Deployment) //nolint:forcetypeassert // made as one
}

func (o *observed) service() *corev1.Service {
	if o.serviceChild.state == foreign {
		return &corev1.Service{} // its addresses are not ours
	}
	return o.serviceChild.object.(*corev1.Service) //nolint:forcetypeassert // made as one
}

func (o *observed) secret() *corev1.Secret {
	return o.secretChild.object.(*corev1.Secret) //nolint:forcetypeassert // made as one
}

func (o *observed) claimModes() []corev1.PersistentVolumeAccessMode {
	if o.claim == nil {
		return nil
	}
	return o.claim.object.(*corev1.PersistentVolumeClaim).Spec.AccessModes //nolint:forcetypeassert // made as one
}

// observe reads the objects that the pass needs, and writes nothing.
func (p *pass) observe(ctx context.Context) error {
	o := &p.observed
	named := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: p.server.Namespace, Name: name}
	}
	for _, c := range []struct {
		into   **child
		kind   string
		object client.Object
	}{
		{&o.deploymentChild, kindDeployment, &appsv1.Deployment{ObjectMeta: named(resources.DeploymentName(p.server))}},
		{&o.serviceChild, kindService, &corev1.Service{ObjectMeta: named(resources.ServiceName(p.server))}},
		{&o.policyChild, kindPolicy, &networkingv1.NetworkPolicy{ObjectMeta: named(resources.NetworkPolicyName(p.server))}},
		{&o.budgetChild, kindBudget, &policyv1.PodDisruptionBudget{ObjectMeta: named(resources.PodDisruptionBudgetName(p.server))}},
		{&o.secretChild, kindSecret, &corev1.Secret{ObjectMeta: named(resources.ConfigSecretName(p.server))}},
	} {
		var err error
		if *c.into, err = p.read(ctx, c.kind, c.object); err != nil {
			return err
		}
	}
	if name := resources.ClaimName(p.server); name != "" {
		var err error
		if o.claim, err = p.read(ctx, kindClaim, &corev1.PersistentVolumeClaim{ObjectMeta: named(name)}); err != nil {
			return err
		}
	}
	if err := p.observeSlices(ctx); err != nil {
		return err
	}
	if err := p.observePods(ctx); err != nil {
		return err
	}
	return p.observeNodes(ctx)
}

func (p *pass) observeSlices(ctx context.Context) error {
	var list discoveryv1.EndpointSliceList
	if err := p.Client.List(ctx, &list, client.InNamespace(p.server.Namespace),
		client.MatchingLabels{v1alpha1.ServerLabel: p.server.Name}); err != nil {
		return fmt.Errorf("listing the EndpointSlices of %s/%s: %w", p.server.Namespace, p.server.Name, err)
	}
	p.observed.slices = list.Items
	return nil
}

func (p *pass) observeNodes(ctx context.Context) error {
	if !needsNodes(p.server) || !p.nodes.allowed {
		return nil
	}
	if err := p.nodes.watch(); err != nil {
		return fmt.Errorf("watching nodes, whose addresses a NodePort server needs: %w", err)
	}
	var list corev1.NodeList
	if err := p.Client.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil { // the list is only read
		return fmt.Errorf("listing nodes, whose addresses a NodePort server needs: %w", err)
	}
	for i := range list.Items {
		p.observed.nodes = append(p.observed.nodes, address.NodeOf(&list.Items[i]))
	}
	return nil
}
