package controllers

import (
	"slices"
	"sync"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ftp-operator/ftp-operator/controllers/loadbalancer"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
)

// settlingKept is the time for which it is remembered when a pod's ports were published.
const settlingKept = time.Hour

// settleTime returns the time for which a new pod's passive ports are published before its control port is, while
// another pod takes the sessions: spec.passive.warmUp, or else what the load balancer needs. Nodes apply the slices
// one by one, and a load balancer that checks each port sends no connection to a port that has not passed its check.
// So a session that comes over a fast node may have its data connections come over a node that has not applied the
// slices yet and refuses them.
func (p *pass) settleTime() time.Duration {
	if warmUp := resources.WarmUp(p.server); warmUp != nil {
		return *warmUp
	}
	return loadbalancer.TimesOf(p.inputs.LoadBalancer, resources.ExternalTrafficPolicy(p.asScaled())).Settle
}

// settling remembers since when the passive ports of pods are published.
type settling struct {
	mu    sync.Mutex
	since map[types.UID]time.Time
}

func newSettling() *settling { return &settling{since: map[types.UID]time.Time{}} }

// left returns how much of settleTime is left for the pod; all of it before begin was called.
func (s *settling) left(pod types.UID, settleTime time.Duration, now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	since, begun := s.since[pod]
	if !begun {
		return settleTime
	}
	return max(settleTime-now.Sub(since), 0)
}

// begin starts the time of a pod, unless it has been started.
func (s *settling) begin(pod types.UID, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for other, since := range s.since {
		if now.Sub(since) > settlingKept {
			delete(s.since, other)
		}
	}
	if _, begun := s.since[pod]; !begun {
		s.since[pod] = now
	}
}

// forget removes the pod, so that its time starts again with the next begin.
func (s *settling) forget(pod types.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.since, pod)
}

// mustSettle reports whether the control port must not be routed yet to a pod that takes sessions.
func (p *pass) mustSettle(one *pod) bool {
	if p.slicesSay(one, true) || p.settling.left(one.UID, p.settleTime(), p.Clock.Now()) == 0 {
		return false
	}
	return slices.ContainsFunc(p.observed.pods, func(other pod) bool {
		return other.UID != one.UID && other.takesSessions() && p.slicesSay(&other, true)
	})
}

// slicesSay reports whether a slice of the pod says that it is ready; if control is true, only slices with the
// control port count.
func (p *pass) slicesSay(one *pod, control bool) bool {
	return slices.ContainsFunc(p.observed.slices, func(s discoveryv1.EndpointSlice) bool {
		return metav1.IsControlledBy(&s, one.Pod) &&
			slices.ContainsFunc(s.Endpoints, func(e discoveryv1.Endpoint) bool {
				return e.Conditions.Ready != nil && *e.Conditions.Ready
			}) &&
			(!control || slices.ContainsFunc(s.Ports, func(port discoveryv1.EndpointPort) bool {
				return port.Name != nil && *port.Name == resources.ControlPortName
			}))
	})
}
