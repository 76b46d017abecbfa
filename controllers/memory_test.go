package controllers

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	testclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/ftp-operator/ftp-operator/controllers/apply"
)

// TestErrorsAreRetriedWithinAMinute: after an error a server is retried within a minute, however often it has failed.
func TestErrorsAreRetriedWithinAMinute(t *testing.T) {
	limiter := SetupOptions{}.controller().RateLimiter
	if limiter == nil {
		t.Fatal("errors are left to the default rate limiter, which waits up to 1000 s")
	}
	request := ctrl.Request{NamespacedName: types.NamespacedName{Namespace: "a", Name: "files"}}
	first := limiter.When(request)
	last := first
	for range 100 {
		last = limiter.When(request)
	}
	if first > time.Second || last > time.Minute {
		t.Errorf("an error is tried again after %s, and after many times in a row after %s", first, last)
	}
}

// TestProviderIDMayComeLater: the ID is looked for again while no node has one, and not after it was found.
func TestProviderIDMayComeLater(t *testing.T) {
	ctx := context.Background()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}}
	c := fake.NewClientBuilder().WithObjects(node).Build()
	reads := &countingReader{Reader: c}
	now := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	n := &nodeAccess{allowed: true}
	for range 100 { // one call for each server
		if id := n.providerID(ctx, reads, now); id != "" {
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
	if id := n.providerID(ctx, reads, now); id != "" {
		t.Errorf("%q out of an error", id)
	}
	reads.fail = false
	for range 2 {
		if id := n.providerID(ctx, reads, now); id != node.Spec.ProviderID {
			t.Errorf("the node has %q, the operator knows %q", node.Spec.ProviderID, id)
		}
	}
	if reads.lists != 3 {
		t.Errorf("%d lists", reads.lists)
	}
}

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

// TestNothingIsRememberedOfObjectsThatAreGone: entries for objects that are gone are dropped after a time.
func TestNothingIsRememberedOfObjectsThatAreGone(t *testing.T) {
	clock := testclock.NewFakePassiveClock(time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC))
	comparer := apply.NewComparer(clientgoscheme.Scheme, "ftp-operator")
	desired := coreac.Service("files", "a").WithSpec(coreac.ServiceSpec().WithSessionAffinity("None"))
	settled, fresh := newSettled(), newFreshness(clock)
	service := func(i int) *child {
		return &child{kind: kindService, object: &corev1.Service{ObjectMeta: metav1.ObjectMeta{
			Namespace: "a", Name: "files", UID: types.UID(fmt.Sprint(i)), ResourceVersion: fmt.Sprint(i),
		}}}
	}
	stays := service(-1)
	const n, each = 1000, time.Minute
	most := int(forgetAfter/each) + 2
	for i := range n {
		gone := service(i)
		settled.note(comparer, gone, desired, clock.Now())
		gone.object.SetName(fmt.Sprint("slice-", i))
		fresh.wrote(kindSlice, gone.object)
		if i == 0 {
			settled.note(comparer, stays, desired, clock.Now())
			fresh.wrote(kindService, service(1).object)
		}
		clock.SetTime(clock.Now().Add(each))
		if !settled.is(comparer, stays, desired, clock.Now()) {
			t.Fatal("a child that is looked at in every pass is forgotten")
		}
		if !fresh.stale(kindService, service(2).object) {
			t.Fatal("a write that the cache has not seen is forgotten")
		}
	}
	if len(settled.left) > most {
		t.Errorf("%d of %d children that are gone are remembered", len(settled.left), n)
	}
	if len(fresh.written) > 2*most {
		t.Errorf("%d of %d writes of objects that are gone are remembered", len(fresh.written), n)
	}
}
