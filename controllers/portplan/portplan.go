// Package portplan decides which pod holds which passive ports. It is pure: the same pods and
// the same range always give the same plan, in whatever order the pods are listed.
//
// What always holds:
//
//   - A port is given to at most one pod that exists. A terminating pod holds its ports until it
//     is gone, since its sessions may still have told clients to dial them.
//   - What a pod holds never changes. A plan only ever gives ports to pods that hold none.
//   - Ports are given lowest first, to older pods first.
//
// A plan is only as good as what it was made from: the pods must be read after the last plan's
// assignments were written (or those be added to what was read), or a port may be given twice.
package portplan

import (
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// MaxPortsPerPod bounds the passive ports of one pod, so that its EndpointSlice, with the
// control ports, stays within 100 ports.
const MaxPortsPerPod = 90

// Pod is a pod as the plan sees it.
type Pod struct {
	// Name is unique among the pods of one server; UID breaks ties where it is not.
	Name, UID string
	// Created orders the pods: older ones come first.
	Created time.Time
	// Held are the ports that its annotation gives it; empty until some are assigned.
	Held config.PortSet
	// Template is the passive-range annotation that it has from the pod template: see TemplateRange.
	Template string
	// Ready: it takes sessions. No pod is made to give its ports back before the other holders do.
	Ready bool
	// Unused: it has never taken sessions, so that no client was told a port of it.
	Unused bool
	// Terminating is true from the moment that its deletion was asked for.
	Terminating bool
}

// Input is what a plan is made from.
type Input struct {
	// Range are the declared passive ports.
	Range config.PortSet
	// Replicas is the number of pods that are wanted, and Surge how many more a rollout may add.
	Replicas, Surge int
	// Pods is every pod that may still run a container, terminating ones too, until it is gone.
	// Pods whose phase is Succeeded or Failed run nothing any more and are left out.
	Pods []Pod
}

// Conflict is a port that two pods hold, which only a hand that edits annotations can bring about.
type Conflict struct {
	// Pod is the younger holder.
	Pod string
	// Keeper is the older holder, which the ports still lead to.
	Keeper string
	// Ports are the ports that both hold.
	Ports config.PortSet
}

// Plan is what is to be done.
type Plan struct {
	// Assign gives ports to pods that hold none and are not terminating, by name.
	Assign map[string]config.PortSet
	// Routes are, by name, the ports that lead to each pod: what its EndpointSlice carries. They
	// are what it holds already, without what an older pod holds too. A pod without ports is
	// absent, and so is one that Assign is about to give some: it is routed once it holds them.
	Routes map[string]config.PortSet
	// Exposed are the declared ports and those that pods still hold: what the Service and the
	// NetworkPolicy must carry.
	Exposed config.PortSet
	// Outdated are the pods, by name and in order, that are not terminating and hold ports
	// outside the declared range: they must be rolled.
	Outdated []string
	// Waiting are the pods, oldest first, for which no port is free.
	Waiting []string
	// Conflicts are the ports that two pods hold, ordered by pod and keeper.
	Conflicts []Conflict
	// Replace are the pods that the operator must delete, as no rolling update would get there.
	Replace []Replacement
}

// MinimumPorts is the fewest ports with which every one of the replicas, and the pods that a
// rollout adds, gets one: 0 for no replicas.
func MinimumPorts(replicas, surge int) int {
	if replicas <= 0 {
		return 0
	}
	return replicas + max(surge, 0)
}
