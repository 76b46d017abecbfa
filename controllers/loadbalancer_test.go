package controllers

import (
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// TestProviderIDIsReadOnce: a failure is not remembered, but an answer is; a node without an ID does not hide the
// others.
func TestProviderIDIsReadOnce(t *testing.T) {
	reads, failing := 0, true
	reader := fake.NewClientBuilder().
		WithObjects(
			&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a-new"}},
			&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "b"}, Spec: corev1.NodeSpec{ProviderID: "aws:///a/i-1"}},
		).
		WithInterceptorFuncs(interceptor.Funcs{
			List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
				reads++
				if failing {
					return errors.New("the API server is away")
				}
				return c.List(ctx, list, options...)
			},
		}).Build()
	n := &nodeAccess{}
	if got := n.providerID(t.Context(), reader, time.Time{}); got != "" {
		t.Errorf("%q came out of a failure", got)
	}
	failing = false
	for range 3 {
		if got := n.providerID(t.Context(), reader, time.Time{}); got != "aws:///a/i-1" {
			t.Errorf("provider ID %q", got)
		}
	}
	if reads != 2 {
		t.Errorf("%d reads, want the one that failed and another", reads)
	}
}
