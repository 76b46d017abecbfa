package children

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

const (
	// Within rewriteWindow a child is written back freeRewrites times without delay, whichever manager changes it;
	// after that once every rewritePause.
	rewriteWindow = 10 * time.Minute
	freeRewrites  = 5
	rewritePause  = time.Minute
	// mostRewritePause bounds the pause, which doubles each time, before a child that another operator changed is
	// written back: each write may be a rollout.
	mostRewritePause = time.Hour
	// contentionKept is the time after which a child that is not written any more is forgotten.
	contentionKept = 2 * mostRewritePause
)

// contention remembers how children were last written, and when they were written back although the desired state had
// not changed. Two writers of the same field may each be right, but together they write for ever, and each write of a
// Deployment is a rollout. So rewrites are limited, and the contention is reported.
type contention struct {
	mu       sync.Mutex
	children map[types.UID]map[string]*contested // by server's UID and child
}

type contested struct {
	// desired identifies what was applied last, and time is the time of our entry in managedFields since then.
	desired, time string
	// rewrites are the times within the window at which the child was written back.
	rewrites []time.Time
	// twins is the number of rewrites of a Deployment that undid another operator's writes.
	twins int
	// next is when the child may be written back again.
	next time.Time
	used time.Time
}

func newContention() *contention {
	return &contention{children: map[types.UID]map[string]*contested{}}
}

// verdict says whether a child may be written back, and what to report.
type verdict struct {
	// wait is the time until the child may be written; 0 if it may be written now.
	wait time.Duration
	// contested is true if the contention is to be reported. twin is true if the other writer is another operator;
	// otherwise it is the manager by.
	contested, twin bool
	by              string
}

// judge decides whether a child that differs from what is desired may be written. It always may if the desired state
// has changed.
//
// valueChanged is true if the fields that we own are those that we want, and one of them has another value.
func (t *contention) judge(server types.UID, c *Child, desired string, valueChanged bool, now time.Time) verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.children[server][c.String()]
	if e == nil || e.desired != desired || now.Sub(e.used) > keepUnused {
		return verdict{} // the desired state changed, or the child was not looked at for long (server suspended)
	}
	e.used = now
	for len(e.rewrites) > 0 && now.Sub(e.rewrites[0]) > rewriteWindow {
		e.rewrites = e.rewrites[1:]
	}
	v := verdict{by: lastManager(c.Object)}
	// Another process applied under our manager name: another operator, or one that does not know yet that it no
	// longer leads. It has changed the time of our entry in managedFields. If it wrote within the same second, that
	// time is the same, but the value of a field that only we own has changed.
	if appliedAt(c.Object) != e.time || valueChanged {
		v.twin, v.by = true, v1alpha1.FieldManager
	}
	// The other children must be right at once, while a rollout can wait until one of the two operators is gone.
	if v.twin && c.Kind == KindDeployment {
		v.contested = true
		if e.twins == 0 {
			e.twins, e.next = 1, now.Add(rewritePause)
		}
		if v.wait = max(e.next.Sub(now), 0); v.wait == 0 {
			e.next = now.Add(min(rewritePause<<min(e.twins, 10), mostRewritePause))
			e.twins++
		}
		return v
	}
	if v.contested = len(e.rewrites) >= freeRewrites; v.contested {
		if v.wait = max(e.next.Sub(now), 0); v.wait > 0 {
			return v
		}
		e.rewrites = e.rewrites[1:]
	}
	e.rewrites = append(e.rewrites, now)
	e.next = now.Add(rewritePause)
	return v
}

// written records that a child was written, or was found as desired.
func (t *contention) written(server types.UID, c *Child, desired string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	children := t.children[server]
	if children == nil {
		children = map[string]*contested{}
		t.children[server] = children
	}
	for name, e := range children {
		if now.Sub(e.used) > contentionKept {
			delete(children, name)
		}
	}
	e := children[c.String()]
	if e == nil {
		e = &contested{}
		children[c.String()] = e
	}
	e.desired, e.time, e.used = desired, appliedAt(c.Object), now
}

// known reports whether it is known how a child, which is as desired now, was last written.
func (t *contention) known(server types.UID, c *Child, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.children[server][c.String()]
	if e != nil {
		e.time, e.used = appliedAt(c.Object), now
	}
	return e != nil
}

// unknown forgets how a child was written, because it is not known whether a write took effect.
func (t *contention) unknown(server types.UID, c *Child) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.children[server], c.String())
}

func (t *contention) forget(server types.UID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.children, server)
}

// appliedAt identifies our last apply of an object by the time of our entry in its managedFields; empty if there is
// none.
func appliedAt(object client.Object) string {
	for _, e := range object.GetManagedFields() {
		if e.Manager == v1alpha1.FieldManager && e.Operation == metav1.ManagedFieldsOperationApply && e.Subresource == "" && e.Time != nil {
			return e.Time.UTC().Format(time.RFC3339)
		}
	}
	return ""
}

// lastManager returns the other manager that wrote the object last, not counting writes of its status; "unknown" if
// there is none.
func lastManager(object client.Object) string {
	by, at := "unknown", time.Time{}
	for _, e := range object.GetManagedFields() {
		us := (e.Manager == v1alpha1.FieldManager || e.Manager == ownersManager) && e.Operation == metav1.ManagedFieldsOperationApply
		if !us && e.Subresource == "" && e.Time != nil && !e.Time.Time.Before(at) {
			by, at = e.Manager, e.Time.Time
		}
	}
	return by
}

func contestedProblem(c *Child, v verdict) status.Problem {
	if v.twin {
		return status.Problem{Kind: status.ProblemContested, Object: c.String(), Message: fmt.Sprintf(
			"another ftp-operator writes it too, as field manager %s: uninstall one of the two, or give one a class (its flag --class, in the chart class) and the servers that it is to handle the same spec.className",
			v.by)}
	}
	return status.Problem{Kind: status.ProblemContested, Object: c.String(), Message: fmt.Sprintf(
		"field manager %s changed back what the operator wrote, more than %d times in %s: have it leave this object alone; until then it is written back once every %s",
		v.by, freeRewrites, rewriteWindow, rewritePause)}
}

// identityOf returns a hash that identifies a desired object.
func identityOf(u *unstructured.Unstructured) (string, error) {
	text, err := json.Marshal(u.Object)
	if err != nil {
		return "", fmt.Errorf("encoding %s %s: %w", u.GetKind(), u.GetName(), err)
	}
	hash := sha256.Sum256(text)
	return hex.EncodeToString(hash[:]), nil
}
