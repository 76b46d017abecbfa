package caches

import (
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/portrange"
)

func TestCacheHoldsNoMoreThanNeeded(t *testing.T) {
	const secret = "s3cr3t"
	meta := metav1.ObjectMeta{
		Name: "x", UID: "u", ResourceVersion: "1", Labels: map[string]string{v1alpha1.ServerLabel: "files", "other": secret},
		Annotations:   map[string]string{"kubectl.kubernetes.io/last-applied-configuration": secret, v1alpha1.ConfigHashAnnotation: "h"},
		ManagedFields: []metav1.ManagedFieldsEntry{{Manager: secret}},
	}
	slim := func(transform func(any) (any, error), in any) any {
		t.Helper()
		out, err := transform(in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	m, _ := slim(slimMetadata, &metav1.PartialObjectMetadata{ObjectMeta: meta}).(*metav1.PartialObjectMetadata)
	if len(m.Annotations) > 0 || len(m.ManagedFields) > 0 || len(m.Labels) != 1 || m.UID != "u" || m.ResourceVersion != "1" {
		t.Errorf("metadata keeps %+v", m.ObjectMeta)
	}
	allowed, _ := slim(slimMetadata, &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{v1alpha1.AllowLabel: "true", "other": secret}}}).(*metav1.PartialObjectMetadata)
	if len(allowed.Labels) != 1 || allowed.Labels[v1alpha1.AllowLabel] != "true" {
		t.Errorf("metadata of a Secret keeps %v", allowed.Labels)
	}
	p, _ := slim(slimPod, &corev1.Pod{ObjectMeta: meta, Spec: corev1.PodSpec{NodeName: "n", Containers: []corev1.Container{{Name: secret}}}}).(*corev1.Pod)
	if len(p.Spec.Containers) > 0 || p.Spec.NodeName != "n" || len(p.Annotations) != 1 {
		t.Errorf("a pod keeps %+v", p)
	}
	theirs := meta
	theirs.Labels = nil
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: theirs, Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}, VolumeName: "v", StorageClassName: new("s"),
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"a": secret}},
	}}
	c, _ := slim(slimClaim, claim).(*corev1.PersistentVolumeClaim)
	if c.Spec.VolumeName != "v" || c.Spec.StorageClassName == nil || c.Spec.Selector != nil || len(c.Spec.AccessModes) != 1 || len(c.ManagedFields) > 0 {
		t.Errorf("a foreign claim keeps %+v", c)
	}
	claim.ObjectMeta = meta
	if c, _ := slim(slimClaim, claim).(*corev1.PersistentVolumeClaim); len(c.ManagedFields) == 0 {
		t.Error("our own claim can no longer be compared")
	}
	n, _ := slim(slimNode, &corev1.Node{ObjectMeta: meta, Status: corev1.NodeStatus{
		Addresses:  []corev1.NodeAddress{{Address: "a"}},
		Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, LastHeartbeatTime: metav1.Now()}, {Type: corev1.NodeDiskPressure}},
		Images:     []corev1.ContainerImage{{Names: []string{secret}}},
	}}).(*corev1.Node)
	if len(n.Status.Images) > 0 || len(n.Status.Conditions) != 1 || !n.Status.Conditions[0].LastHeartbeatTime.IsZero() || len(n.Status.Addresses) != 1 {
		t.Errorf("a node keeps %+v", n.Status)
	}
}

// TestSlimServiceKeepsWhatIsRead: the cache of Services keeps all fields that are read.
func TestSlimServiceKeepsWhatIsRead(t *testing.T) {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "a", Name: "web", Labels: map[string]string{"app": "web"},
			Annotations:     map[string]string{"metallb.io/allow-shared-ip": "one", "metallb.universe.tf/allow-shared-ip": "two", "other": "x"},
			OwnerReferences: []metav1.OwnerReference{{Kind: "FtpServer", Name: "files", Controller: new(true)}},
			ManagedFields:   []metav1.ManagedFieldsEntry{{Manager: "x"}},
		},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, HealthCheckNodePort: 30999, Selector: map[string]string{"app": "web"},
			Ports: []corev1.ServicePort{
				{Name: "a", Protocol: corev1.ProtocolTCP, Port: 21, NodePort: 30021},
				{Name: "b", Protocol: corev1.ProtocolUDP, Port: 53, NodePort: 30053},
			},
		},
	}
	want := portrange.ServiceOf(service)
	slim, err := slimService(service.DeepCopy())
	if err != nil {
		t.Fatal(err)
	}
	held, _ := slim.(*corev1.Service)
	if got := portrange.ServiceOf(held); !reflect.DeepEqual(got, want) {
		t.Errorf("of a Service that is read as %+v, the cache leaves %+v", want, got)
	}
	if len(held.ManagedFields) > 0 || len(held.Spec.Selector) > 0 || len(held.Labels) > 0 {
		t.Errorf("it keeps %+v", held)
	}
}
