package controllers

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/portrange"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// interests are what servers depend on that is not theirs: nodes, and Services whose ports may be in their
// way. A cluster has many of both and events of each all the time, so that what an event concerns is found
// without reading a single FtpServer. Of a server that was not reconciled yet nothing is known, and nothing
// need be: its first pass looks at everything.
type interests struct {
	mu      sync.Mutex
	servers map[types.NamespacedName]interest
}

type interest struct {
	// nodes: its address comes from a node.
	nodes bool
	// sharingKey of its load balancer's address; empty if that is not shared.
	sharingKey string
	// anyPort: it waits for any ports to come free.
	anyPort bool
	// nodePorts are those that it asks for.
	nodePorts config.PortSet
}

func newInterests() *interests { return &interests{servers: map[types.NamespacedName]interest{}} }

// note records what a server depends on.
func (t *interests) note(server *v1alpha1.FtpServer) {
	i := interest{nodes: needsNodes(server)}
	if needsNeighbours(server) {
		i.sharingKey = sharingKey(server)
		// What the status says of the range plays no part before it is chosen.
		i.anyPort = server.Spec.Passive.PortCount > 0 && len(portrange.Allocated(server)) != int(server.Spec.Passive.PortCount)
		for _, want := range wantedNodePorts(server) {
			i.nodePorts = i.nodePorts.Union(want.Ports)
		}
	}
	key := types.NamespacedName{Namespace: server.Namespace, Name: server.Name}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !i.nodes && i.sharingKey == "" && !i.anyPort && len(i.nodePorts) == 0 {
		delete(t.servers, key)
		return
	}
	t.servers[key] = i
}

func (t *interests) forget(key types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.servers, key)
}

// inNodes are the servers to which a node matters.
func (t *interests) inNodes() []ctrl.Request {
	return t.of(func(_ types.NamespacedName, i interest) bool { return i.nodes })
}

// inService are the servers to which somebody else's Service matters.
func (t *interests) inService(s portrange.Service) []ctrl.Request {
	return t.of(func(key types.NamespacedName, i interest) bool {
		switch {
		case key.Namespace == s.Namespace && key.Name == s.Name:
			return false // its own, which has the server's name
		case i.sharingKey != "" && i.sharingKey == s.SharingKey, i.anyPort:
			return true
		}
		return slices.ContainsFunc(s.NodePorts, i.nodePorts.Contains)
	})
}

func (t *interests) of(concerned func(types.NamespacedName, interest) bool) []ctrl.Request {
	t.mu.Lock()
	defer t.mu.Unlock()
	var requests []ctrl.Request
	for key, i := range t.servers {
		if concerned(key, i) {
			requests = append(requests, ctrl.Request{NamespacedName: key})
		}
	}
	return requests
}
