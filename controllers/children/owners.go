package children

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

// ownersManager is the field manager that writes pods as owners. It differs from the manager of the children, since the
// set of pods may change while a child itself can't be written, for instance because its node ports are taken.
const ownersManager = v1alpha1.FieldManager + "-pods"

// AddOwners makes the pods owners of a child, in addition to its controller. It writes only if an owner
// must be added; the garbage collector removes owners that are gone.
func (w *Writer) AddOwners(ctx context.Context, c *Child, pods []metav1.OwnerReference) error {
	if c.State != Ours {
		return nil
	}
	has := map[types.UID]bool{}
	for _, owner := range c.Object.GetOwnerReferences() {
		has[owner.UID] = true
	}
	if !slices.ContainsFunc(pods, func(pod metav1.OwnerReference) bool { return !has[pod.UID] }) {
		return nil
	}
	gvk, err := apiutil.GVKForObject(c.Object, w.client.Scheme())
	if err != nil {
		return err
	}
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	u.SetNamespace(c.Object.GetNamespace())
	u.SetName(c.Object.GetName())
	u.SetUID(c.Object.GetUID()) // never creates an object
	u.SetOwnerReferences(pods)
	err = w.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(ownersManager), client.ForceOwnership)
	if Gone(err) {
		return &ChangedError{c.String() + " is gone"}
	}
	if err != nil {
		return fmt.Errorf("making the pods owners of %s: %w", c, err)
	}
	log.FromContext(ctx).Info("applied", "child", c.String(), "why", "pods that need it")
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, c.Object); err != nil {
		return fmt.Errorf("decoding %s: %w", c, err)
	}
	w.Tracker.Wrote(c.Kind, c.Object)
	return nil
}
