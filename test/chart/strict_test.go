package chart

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// decode decodes an object as a T; a field that T does not have fails the test.
func decode[T any](t *testing.T, u unstructured.Unstructured) T {
	t.Helper()
	var typed T
	text, err := yaml.Marshal(u.Object)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, &typed); err != nil {
		t.Fatalf("%s %s is none: %v\n%s", u.GetKind(), u.GetName(), err, text)
	}
	return typed
}

// strictly checks that each object decodes as its kind, without unknown fields.
func strictly(t *testing.T, all objects) {
	t.Helper()
	for _, u := range all {
		switch u.GetAPIVersion() + " " + u.GetKind() {
		case "v1 Namespace":
			decode[corev1.Namespace](t, u)
		case "v1 Service":
			decode[corev1.Service](t, u)
		case "v1 ServiceAccount":
			decode[corev1.ServiceAccount](t, u)
		case "apps/v1 Deployment":
			decode[appsv1.Deployment](t, u)
		case "networking.k8s.io/v1 NetworkPolicy":
			decode[networkingv1.NetworkPolicy](t, u)
		case "policy/v1 PodDisruptionBudget":
			decode[policyv1.PodDisruptionBudget](t, u)
		case "rbac.authorization.k8s.io/v1 Role":
			decode[rbacv1.Role](t, u)
		case "rbac.authorization.k8s.io/v1 ClusterRole":
			decode[rbacv1.ClusterRole](t, u)
		case "rbac.authorization.k8s.io/v1 RoleBinding":
			decode[rbacv1.RoleBinding](t, u)
		case "rbac.authorization.k8s.io/v1 ClusterRoleBinding":
			decode[rbacv1.ClusterRoleBinding](t, u)
		case "apiextensions.k8s.io/v1 CustomResourceDefinition":
			decode[apiextensionsv1.CustomResourceDefinition](t, u)
		case "v1 ConfigMap":
			decode[corev1.ConfigMap](t, u)
		case "monitoring.coreos.com/v1 ServiceMonitor", "monitoring.coreos.com/v1 PodMonitor", "monitoring.coreos.com/v1 PrometheusRule":
			// Decoding it would need the Go types of the Prometheus operator; the important parts are tested by name.
		default:
			t.Errorf("an object of an unexpected kind is rendered: %s %s %s", u.GetAPIVersion(), u.GetKind(), u.GetName())
		}
	}
}

// clusterScoped are the kinds that have no namespace.
var clusterScoped = map[string]bool{
	"ClusterRole": true, "ClusterRoleBinding": true, "CustomResourceDefinition": true, "Namespace": true,
}
