package children

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ftp-operator/ftp-operator/controllers/apply"
)

// noops remembers the children that an apply could not bring to exactly the desired state, because the API server
// or a webhook changes it, and the state in which the apply left them. As long as a child stays in that state,
// applying the same again would change nothing.
//
// A child that was not looked at for keepUnused is forgotten: it is gone, or its server is. If it still exists, that
// costs one more apply.
type noops struct {
	mu   sync.Mutex
	left map[types.UID]noop // by the child's UID
}

type noop struct {
	fingerprint string
	used        time.Time
}

func newNoops() *noops { return &noops{left: map[types.UID]noop{}} }

func (n *noops) note(comparer *apply.Comparer, c *Child, desired runtime.ApplyConfiguration, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for uid, child := range n.left {
		if now.Sub(child.used) > keepUnused {
			delete(n.left, uid)
		}
	}
	delete(n.left, c.Object.GetUID())
	if difference, err := comparer.Difference(c.Object, desired); err != nil || difference == "" {
		return
	}
	if left, err := comparer.Fingerprint(c.Object, desired); err == nil {
		n.left[c.Object.GetUID()] = noop{left, now}
	}
}

func (n *noops) is(comparer *apply.Comparer, c *Child, desired runtime.ApplyConfiguration, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	uid := c.Object.GetUID()
	left, known := n.left[uid]
	if !known {
		return false
	}
	n.left[uid] = noop{left.fingerprint, now}
	fingerprint, err := comparer.Fingerprint(c.Object, desired)
	return err == nil && fingerprint == left.fingerprint
}
