package memory

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/portrange"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Interests records what servers depend on that they do not own: nodes, and Services whose ports may conflict with
// theirs. A cluster has many of both and frequent events of each, so the servers that an event concerns are found
// without reading any FtpServer. Nothing is recorded about a server that was not reconciled yet, and nothing need be:
// its first pass looks at everything. So nothing is missed after a restart, either.
type Interests struct {
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

// NewInterests returns an Interests that knows no server yet.
func NewInterests() *Interests { return &Interests{servers: map[types.NamespacedName]interest{}} }

// Note records what a server depends on.
func (t *Interests) Note(server *v1alpha1.FtpServer) {
	i := interest{nodes: resources.NeedsNodes(server)}
	if portrange.NeedsOthers(server) {
		i.sharingKey = portrange.SharedKey(server)
		// The range in the status does not count before a range of the requested size is chosen.
		i.anyPort = server.Spec.Passive.PortCount > 0 && len(portrange.Allocated(server)) != int(server.Spec.Passive.PortCount)
		for _, want := range portrange.WantedNodePorts(server) {
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

// Forget drops what is recorded about a server that is gone.
func (t *Interests) Forget(key types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.servers, key)
}

// InNodes returns the servers to which nodes matter.
func (t *Interests) InNodes() []ctrl.Request {
	return t.of(func(_ types.NamespacedName, i interest) bool { return i.nodes })
}

// InService returns the servers to which another owner's Service matters.
func (t *Interests) InService(s portrange.Service) []ctrl.Request {
	return t.of(func(key types.NamespacedName, i interest) bool {
		switch {
		case key.Namespace == s.Namespace && key.Name == s.Name:
			return false // the server's own Service, which has its name
		case i.sharingKey != "" && i.sharingKey == s.SharingKey, i.anyPort:
			return true
		}
		for _, port := range s.NodePorts { //nolint:modernize // the argument of slices.ContainsFunc would be allocated for each server
			if i.nodePorts.Contains(port) {
				return true
			}
		}
		return false
	})
}

func (t *Interests) of(concerned func(types.NamespacedName, interest) bool) []ctrl.Request {
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
