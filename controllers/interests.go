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

// interests records what servers depend on that they do not own: nodes, and Services whose ports may conflict with
// theirs. A cluster has many of both and frequent events of each, so the servers that an event concerns are found
// without reading any FtpServer. Nothing is recorded about a server that was not reconciled yet, and nothing need be:
// its first pass looks at everything.
type interests struct {
	mu      sync.Mutex
	servers map[types.NamespacedName]interest
}

type interest struct {
	// nodes is true if the server's address comes from a node.
	nodes bool
	// sharingKey is the sharing key of the load balancer's address; empty if the address is not shared.
	sharingKey string
	// anyPort is true if the server waits for any ports to become free.
	anyPort bool
	// nodePorts are the node ports that the server requests.
	nodePorts config.PortSet
}

func newInterests() *interests { return &interests{servers: map[types.NamespacedName]interest{}} }

// note records what a server depends on.
func (t *interests) note(server *v1alpha1.FtpServer) {
	i := interest{nodes: needsNodes(server)}
	if needsNeighbours(server) {
		i.sharingKey = sharingKey(server)
		// The range in the status does not count before a range of the requested size is chosen.
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

// inNodes returns the servers to which nodes matter.
func (t *interests) inNodes() []ctrl.Request {
	return t.of(func(_ types.NamespacedName, i interest) bool { return i.nodes })
}

// inService returns the servers to which another owner's Service matters.
func (t *interests) inService(s portrange.Service) []ctrl.Request {
	return t.of(func(key types.NamespacedName, i interest) bool {
		switch {
		case key.Namespace == s.Namespace && key.Name == s.Name:
			return false // the server's own Service, which has its name
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
