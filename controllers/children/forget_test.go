package children

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	testclock "k8s.io/utils/clock/testing"

	"github.com/ftp-operator/ftp-operator/controllers/apply"
)

// TestNothingIsRememberedOfObjectsThatAreGone: entries for objects that are gone are dropped after a time.
func TestNothingIsRememberedOfObjectsThatAreGone(t *testing.T) {
	clock := testclock.NewFakePassiveClock(time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC))
	comparer := apply.NewComparer(clientgoscheme.Scheme, "ftp-operator")
	desired := coreac.Service("files", "a").WithSpec(coreac.ServiceSpec().WithSessionAffinity("None"))
	noops, tracker := newNoops(), NewWriteTracker(clock)
	service := func(i int) *Child {
		return &Child{Kind: KindService, Object: &corev1.Service{ObjectMeta: metav1.ObjectMeta{
			Namespace: "a", Name: "files", UID: types.UID(fmt.Sprint(i)), ResourceVersion: fmt.Sprint(i),
		}}}
	}
	stays := service(-1)
	const n, each = 1000, time.Minute
	most := int(keepUnused/each) + 2
	for i := range n {
		gone := service(i)
		noops.note(comparer, gone, desired, clock.Now())
		gone.Object.SetName(fmt.Sprint("slice-", i))
		tracker.Wrote(KindSlice, gone.Object)
		if i == 0 {
			noops.note(comparer, stays, desired, clock.Now())
			tracker.Wrote(KindService, service(1).Object)
		}
		clock.SetTime(clock.Now().Add(each))
		if !noops.is(comparer, stays, desired, clock.Now()) {
			t.Fatal("a child that is looked at in every pass is forgotten")
		}
		if !tracker.Stale(KindService, service(2).Object) {
			t.Fatal("a write that the cache has not seen is forgotten")
		}
	}
	if len(noops.left) > most {
		t.Errorf("%d of %d children that are gone are remembered", len(noops.left), n)
	}
	if len(tracker.written) > 2*most {
		t.Errorf("%d of %d writes of objects that are gone are remembered", len(tracker.written), n)
	}
}
