package controllers

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

const (
	// holdManager is the field manager that writes the pods as owners. It differs from the manager of the children,
	// since the set of pods may change while a child itself can't be written, for instance because its node ports are
	// taken.
	holdManager = v1alpha1.FieldManager + "-pods"
	// maxHolders bounds the owners of one object, and so its size.
	maxHolders = 100
)

// hold makes the pods that have passive ports owners of what they need until they end: the Service, the NetworkPolicy
// and the config Secret. The garbage collector deletes an object when its last owner is gone. So when the FtpServer
// is deleted, these objects stay until the last pod has drained, whether the operator runs or not, and there is no
// finalizer that could block the deletion. A pod becomes an owner before it is given its ports.
func (p *pass) hold(ctx context.Context) error {
	holders := holders(p.observed.pods)
	for _, c := range []*child{p.observed.serviceChild, p.observed.policyChild, p.observed.secretChild} {
		if err := p.holdChild(ctx, c, holders); err != nil {
			return err
		}
	}
	return nil
}

// holders returns owner references to the pods that hold ports, at most maxHolders, the oldest pods first, since
// those are owners already. None of them is a controller reference, and none blocks the deletion of its pod.
func holders(pods []pod) []metav1.OwnerReference {
	oldest := slices.SortedFunc(slices.Values(pods), func(a, b pod) int {
		return a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
	})
	var refs []metav1.OwnerReference
	for i := range oldest {
		if len(oldest[i].held) > 0 && len(refs) < maxHolders {
			refs = append(refs, metav1.OwnerReference{APIVersion: "v1", Kind: kindPod, Name: oldest[i].Name, UID: oldest[i].UID})
		}
	}
	return refs
}

// holdChild writes only if an owner must be added. The garbage collector removes owners that are gone.
func (r *Reconciler) holdChild(ctx context.Context, c *child, holders []metav1.OwnerReference) error {
	if c.state != ours {
		return nil
	}
	has := map[types.UID]bool{}
	for _, owner := range c.object.GetOwnerReferences() {
		has[owner.UID] = true
	}
	if !slices.ContainsFunc(holders, func(holder metav1.OwnerReference) bool { return !has[holder.UID] }) {
		return nil
	}
	gvk, err := apiutil.GVKForObject(c.object, r.Client.Scheme())
	if err != nil {
		return err
	}
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	u.SetNamespace(c.object.GetNamespace())
	u.SetName(c.object.GetName())
	u.SetUID(c.object.GetUID()) // never creates an object
	u.SetOwnerReferences(holders)
	err = r.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(holdManager), client.ForceOwnership)
	if gone(err) {
		return &changedError{fmt.Sprintf("%s is gone", c)}
	}
	if err != nil {
		return fmt.Errorf("making the pods owners of %s: %w", c, err)
	}
	log.FromContext(ctx).Info("applied", "child", c.String(), "why", "pods that need it")
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, c.object); err != nil {
		return fmt.Errorf("decoding %s: %w", c, err)
	}
	r.fresh.wrote(c.kind, c.object)
	return nil
}
