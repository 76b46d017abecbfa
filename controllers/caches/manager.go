package caches

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/children"
)

// Options returns the options of the manager's cache, which holds no data of Secrets. The cache is limited to the given
// namespaces; none means all.
func Options(namespaces []string) cache.Options {
	labelled := cache.ByObject{Label: withServerLabel()}
	with := func(transform func(any) (any, error)) cache.ByObject {
		return cache.ByObject{Label: withServerLabel(), Transform: transform}
	}
	options := cache.Options{
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.FtpServer{}:           {Transform: cache.TransformStripManagedFields()},
			&discoveryv1.EndpointSlice{}:    labelled,
			&corev1.Pod{}:                   with(slimPod),
			&appsv1.ReplicaSet{}:            with(slimMetadata),
			&corev1.Secret{}:                {Transform: slimMetadata},
			&corev1.PersistentVolumeClaim{}: {Transform: slimClaim},
			&corev1.Node{}:                  {Transform: slimNode},
		},
	}
	for _, kind := range children.Kinds {
		if kind.Kind != children.KindSecret { // of Secrets only the metadata is cached, and of all
			options.ByObject[kind.New()] = labelled
		}
	}
	return within(namespaces, options)
}

// within limits a cache to the given namespaces; none means all.
func within(namespaces []string, options cache.Options) cache.Options {
	for _, namespace := range namespaces {
		if options.DefaultNamespaces == nil {
			options.DefaultNamespaces = map[string]cache.Config{}
		}
		options.DefaultNamespaces[namespace] = cache.Config{}
	}
	return options
}

func withServerLabel() labels.Selector {
	return labels.NewSelector().Add(requirement(v1alpha1.ServerLabel, selection.Exists))
}

// slimMetadata reduces an object that is watched by its metadata to what identifies it. Annotations are dropped too:
// kubectl's last-applied annotation may hold a whole Secret.
func slimMetadata(in any) (any, error) {
	if m, ok := in.(*metav1.PartialObjectMetadata); ok {
		m.ObjectMeta = slimMeta(m.ObjectMeta)
	}
	return in, nil
}

func slimMeta(m metav1.ObjectMeta) metav1.ObjectMeta {
	slim := metav1.ObjectMeta{
		Name: m.Name, Namespace: m.Namespace, UID: m.UID, ResourceVersion: m.ResourceVersion,
		Generation: m.Generation, CreationTimestamp: m.CreationTimestamp, DeletionTimestamp: m.DeletionTimestamp,
		OwnerReferences: m.OwnerReferences,
	}
	for _, key := range []string{v1alpha1.ServerLabel, v1alpha1.AllowLabel} {
		if value, ok := m.Labels[key]; ok {
			if slim.Labels == nil {
				slim.Labels = map[string]string{}
			}
			slim.Labels[key] = value
		}
	}
	return slim
}

func slimPod(in any) (any, error) {
	p, ok := in.(*corev1.Pod)
	if !ok {
		return in, nil
	}
	meta := slimMeta(p.ObjectMeta)
	for _, key := range []string{
		v1alpha1.PassivePortsAnnotation, v1alpha1.PassiveRangeAnnotation, v1alpha1.AdvertisedAddressAnnotation,
		v1alpha1.ConfigHashAnnotation, v1alpha1.ConfigTouchAnnotation,
	} {
		if value, has := p.Annotations[key]; has {
			if meta.Annotations == nil {
				meta.Annotations = map[string]string{}
			}
			meta.Annotations[key] = value
		}
	}
	return &corev1.Pod{
		TypeMeta: p.TypeMeta, ObjectMeta: meta,
		Spec: corev1.PodSpec{NodeName: p.Spec.NodeName, ReadinessGates: p.Spec.ReadinessGates},
		Status: corev1.PodStatus{
			Phase: p.Status.Phase, Conditions: p.Status.Conditions, PodIP: p.Status.PodIP, PodIPs: p.Status.PodIPs,
			ContainerStatuses: p.Status.ContainerStatuses,
		},
	}, nil
}

// slimClaim reduces a claim that the operator did not create to the fields on which a server's storage depends.
func slimClaim(in any) (any, error) {
	c, ok := in.(*corev1.PersistentVolumeClaim)
	if !ok || c.Labels[v1alpha1.ServerLabel] != "" {
		return in, nil
	}
	return &corev1.PersistentVolumeClaim{
		TypeMeta: c.TypeMeta, ObjectMeta: slimMeta(c.ObjectMeta),
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: c.Spec.AccessModes, StorageClassName: c.Spec.StorageClassName, VolumeName: c.Spec.VolumeName,
		},
		Status: corev1.PersistentVolumeClaimStatus{Phase: c.Status.Phase},
	}, nil
}

// slimNode reduces a node to its addresses and its Ready condition.
func slimNode(in any) (any, error) {
	n, ok := in.(*corev1.Node)
	if !ok {
		return in, nil
	}
	slim := &corev1.Node{TypeMeta: n.TypeMeta, ObjectMeta: slimMeta(n.ObjectMeta)}
	slim.Status.Addresses = n.Status.Addresses
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			slim.Status.Conditions = []corev1.NodeCondition{{Type: c.Type, Status: c.Status}}
		}
	}
	return slim, nil
}
