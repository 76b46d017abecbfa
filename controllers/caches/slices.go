package caches

import (
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// These are the names of the cluster's controllers of EndpointSlices, as they appear in the managed-by label of
// slices.
const (
	EndpointSliceController          = "endpointslice-controller.k8s.io"
	EndpointSliceMirroringController = "endpointslicemirroring-controller.k8s.io"
)

// ForeignSlices returns a cache of the metadata of EndpointSlices that neither carry the server label nor are created
// from a selector. The manager's cache holds the slices with the server label. Slices that are created from a selector and
// lack the label are in neither cache: see memory.LiveReads. The slices that this cache
// holds are few in a cluster; a cache of all slices would cost memory for every Service. The caller adds it to the
// manager, which starts it.
func ForeignSlices(mgr manager.Manager, namespaces []string) (cache.Cache, error) {
	return cache.New(mgr.GetConfig(), within(namespaces, cache.Options{
		HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(),
		ByObject: map[client.Object]cache.ByObject{&discoveryv1.EndpointSlice{}: {
			Label: labels.NewSelector().Add(
				requirement(discoveryv1.LabelServiceName, selection.Exists),
				requirement(v1alpha1.ServerLabel, selection.DoesNotExist),
				requirement(discoveryv1.LabelManagedBy, selection.NotIn, EndpointSliceController)),
			Transform: slimSlice,
		}},
	}))
}

func requirement(label string, operator selection.Operator, values ...string) labels.Requirement {
	r, err := labels.NewRequirement(label, operator, values)
	if err != nil {
		panic(err) // all arguments are constants
	}
	return *r
}

// slimSlice reduces a slice's metadata to what identifies it, the Service that it belongs to, and its manager.
func slimSlice(in any) (any, error) {
	m, ok := in.(*metav1.PartialObjectMetadata)
	if !ok {
		return in, nil
	}
	service, manager := m.Labels[discoveryv1.LabelServiceName], m.Labels[discoveryv1.LabelManagedBy]
	m.ObjectMeta = slimMeta(m.ObjectMeta)
	m.Labels = map[string]string{discoveryv1.LabelServiceName: service, discoveryv1.LabelManagedBy: manager}
	return m, nil
}
