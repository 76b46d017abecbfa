package caches

import (
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

// TestProviderIDIsReadOnce: a failure is not remembered, but an answer is; a node without an ID does not hide the
// others.
func TestProviderIDIsReadOnce(t *testing.T) {
	reads := &countingReader{fail: true, Reader: fake.NewClientBuilder().
		WithObjects(
			&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a-new"}},
			&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "b"}, Spec: corev1.NodeSpec{ProviderID: "aws:///a/i-1"}},
		).Build()}
	n := &Nodes{}
	if got := n.ProviderID(t.Context(), reads, time.Time{}); got != "" {
		t.Errorf("%q came out of a failure", got)
	}
	reads.fail = false
	for range 3 {
		if got := n.ProviderID(t.Context(), reads, time.Time{}); got != "aws:///a/i-1" {
			t.Errorf("provider ID %q", got)
		}
	}
	if reads.lists != 2 {
		t.Errorf("%d reads, want the one that failed and another", reads.lists)
	}
}

// TestProviderIDMayComeLater: the ID is looked for again while no node has one, and not after it was found.
func TestProviderIDMayComeLater(t *testing.T) {
	ctx := context.Background()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}}
	c := fake.NewClientBuilder().WithObjects(node).Build()
	reads := &countingReader{Reader: c}
	now := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	n := &Nodes{Allowed: true}
	for range 100 { // one call for each server
		if id := n.ProviderID(ctx, reads, now); id != "" {
			t.Fatal(id)
		}
	}
	if reads.lists != 1 {
		t.Errorf("%d lists of nodes in one moment", reads.lists)
	}
	node.Spec.ProviderID = "aws:///eu-west-1a/i-0123"
	if err := c.Update(ctx, node); err != nil {
		t.Fatal(err)
	}
	now = now.Add(providerIDRecheck)
	reads.fail = true
	if id := n.ProviderID(ctx, reads, now); id != "" {
		t.Errorf("%q out of an error", id)
	}
	reads.fail = false
	for range 2 {
		if id := n.ProviderID(ctx, reads, now); id != node.Spec.ProviderID {
			t.Errorf("the node has %q, the operator knows %q", node.Spec.ProviderID, id)
		}
	}
	if reads.lists != 3 {
		t.Errorf("%d lists", reads.lists)
	}
}

// countingReader counts the lists that are read, and fails on demand.
type countingReader struct {
	client.Reader
	lists int
	fail  bool
}

func (r *countingReader) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	r.lists++
	if r.fail {
		return errors.New("no answer")
	}
	return r.Reader.List(ctx, list, options...)
}
