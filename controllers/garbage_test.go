package controllers_test

import (
	"context"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// collectGarbage does what Kubernetes' garbage collector does in the background: it deletes an object whose owners
// are all gone, and removes owners that are gone from an object with several owners.
func (c *cluster) collectGarbage(ctx context.Context) {
	GinkgoHelper()
	for range 10 {
		objects := c.objects(ctx)
		exists := map[types.UID]bool{}
		for _, o := range objects {
			exists[o.GetUID()] = true
		}
		changed := false
		for _, o := range objects {
			owners := o.GetOwnerReferences()
			solid := slices.DeleteFunc(slices.Clone(owners), func(r metav1.OwnerReference) bool { return !exists[r.UID] })
			switch {
			case len(solid) == len(owners) || o.GetDeletionTimestamp() != nil:
			case len(solid) == 0:
				Expect(admin.Delete(ctx, o)).To(Succeed())
				changed = true
			default:
				o.SetOwnerReferences(solid)
				Expect(admin.Update(ctx, o, client.FieldOwner("kube-controller-manager"))).To(Succeed())
				changed = true
			}
		}
		if !changed {
			return
		}
	}
	Fail("the garbage collector does not come to an end")
}

// objects returns all objects in the test's namespace that own others or are owned.
func (c *cluster) objects(ctx context.Context) []client.Object {
	GinkgoHelper()
	var all []client.Object
	for _, list := range []client.ObjectList{
		&v1alpha1.FtpServerList{}, &appsv1.DeploymentList{}, &appsv1.ReplicaSetList{}, &corev1.PodList{}, &corev1.ServiceList{},
		&corev1.SecretList{}, &corev1.PersistentVolumeClaimList{}, &networkingv1.NetworkPolicyList{}, &policyv1.PodDisruptionBudgetList{},
		&discoveryv1.EndpointSliceList{},
	} {
		Expect(admin.List(ctx, list, client.InNamespace(c.namespace))).To(Succeed())
		Expect(meta.EachListItem(list, func(o runtime.Object) error {
			all = append(all, o.(client.Object))
			return nil
		})).To(Succeed())
	}
	return all
}
