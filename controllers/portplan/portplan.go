// Package portplan decides which pod holds which passive ports. It is pure: the same pods and the same range always
// give the same plan, in whatever order the pods are listed.
//
// These rules always hold:
//
//   - A port is assigned to at most one existing pod. A terminating pod holds its ports until it
//     is gone, since its sessions may still have announced them to clients.
//   - The ports that a pod holds never change. A plan only assigns ports to pods that hold none.
//   - Ports are assigned lowest first, to older pods first.
//
// A plan is only as good as its input: the pods must be read after the assignments of the last plan were written (or
// those assignments be added to what was read), or a port may be assigned twice.
package portplan

import (
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// MaxPortsPerPod is the largest number of passive ports of one pod, so that its EndpointSlice, with the control
// ports, stays within 100 ports.
const MaxPortsPerPod = 90

// Pod describes a pod to the plan.
type Pod struct {
	// Name is unique among the pods of one server; UID breaks ties where it is not.
	Name, UID string
	// Created orders the pods: older ones come first.
	Created time.Time
	// Held are the ports that the pod holds; empty until some are assigned.
	Held config.PortSet
	// Template is the passive-range annotation that the pod has from the pod template: see TemplateRange.
	Template string
	// Ready is true if the pod takes sessions. While a pod that holds ports is not ready, no other holder is replaced
	// to free its ports.
	Ready bool
	// Unused is true if the pod has never taken sessions, so that no client was given one of its ports.
	Unused bool
	// Terminating is true from the moment that the pod's deletion was requested.
	Terminating bool
}

// Input is what a plan is computed from.
type Input struct {
	// Range is the set of declared passive ports.
	Range config.PortSet
	// Replicas is the desired number of pods, and Surge the number of pods that a rollout may add to it.
	Replicas, Surge int
	// Pods are all pods that may still run a container, including terminating ones until they are gone. Pods in phase
	// Succeeded or Failed run nothing any more and are left out.
	Pods []Pod
}

// Conflict is a set of ports that two pods hold. Only an edit of annotations by hand can cause one.
type Conflict struct {
	// Pod is the younger holder.
	Pod string
	// Keeper is the older holder, to which the ports are still routed.
	Keeper string
	// Ports are the ports that both hold.
	Ports config.PortSet
}

// Plan is the result of Compute.
type Plan struct {
	// Assign maps the names of pods that hold no ports and are not terminating to the ports that they get.
	Assign map[string]config.PortSet
	// Routes maps the names of pods to the ports that are routed to them, which their EndpointSlices carry: the ports
	// that a pod holds already, without those that an older pod holds too. A pod without ports is absent, even if
	// Assign gives it some: it is routed once it holds them.
	Routes map[string]config.PortSet
	// Exposed is the union of the declared ports and those that pods still hold: the ports that the Service and the
	// NetworkPolicy must carry.
	Exposed config.PortSet
	// Outdated are the names, sorted, of the pods that are not terminating and hold ports outside the declared range:
	// they must be replaced by a rollout.
	Outdated []string
	// Waiting are the names of the pods for which no port is free, oldest first.
	Waiting []string
	// Conflicts are the ports that two pods hold, ordered by pod and then by keeper.
	Conflicts []Conflict
	// Replace are the pods that the operator must delete, because a rolling update would not resolve the situation.
	Replace []Replacement
}

// MinimumPorts returns the smallest number of ports with which each of the replicas, and each pod that a rollout
// adds, gets one: 0 for no replicas.
func MinimumPorts(replicas, surge int) int {
	if replicas <= 0 {
		return 0
	}
	return replicas + max(surge, 0)
}
