package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ftp-operator/ftp-operator/controllers/apply"
)

// settled remembers the children that an apply could not bring to exactly the desired state, because the API server
// or a webhook changes it, and the state in which the apply left them. As long as a child stays in that state,
// applying the same again would change nothing.
//
// A child that was not looked at for forgetAfter is forgotten: it is gone, or its server is. If it still exists, that
// costs one more apply.
type settled struct {
	mu   sync.Mutex
	left map[types.UID]settledChild // by the child's UID
}

type settledChild struct {
	fingerprint string
	used        time.Time
}

func newSettled() *settled { return &settled{left: map[types.UID]settledChild{}} }

func (s *settled) note(comparer *apply.Comparer, c *child, desired runtime.ApplyConfiguration, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for uid, child := range s.left {
		if now.Sub(child.used) > forgetAfter {
			delete(s.left, uid)
		}
	}
	delete(s.left, c.object.GetUID())
	if difference, err := comparer.Difference(c.object, desired); err != nil || difference == "" {
		return
	}
	if left, err := comparer.Fingerprint(c.object, desired); err == nil {
		s.left[c.object.GetUID()] = settledChild{left, now}
	}
}

func (s *settled) is(comparer *apply.Comparer, c *child, desired runtime.ApplyConfiguration, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	uid := c.object.GetUID()
	left, known := s.left[uid]
	if !known {
		return false
	}
	s.left[uid] = settledChild{left.fingerprint, now}
	fingerprint, err := comparer.Fingerprint(c.object, desired)
	return err == nil && fingerprint == left.fingerprint
}
