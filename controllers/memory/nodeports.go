package memory

import (
	"regexp"
	"strconv"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// RefusedNodePorts remembers the node ports that the API server refused for a server, so that others are chosen. An
// operator that is limited to some namespaces can't see which Service holds them. After a restart a range may be chosen
// that is refused once more.
type RefusedNodePorts struct {
	mu    sync.Mutex
	ports map[types.UID]config.PortSet // by server's UID
}

// NewRefusedNodePorts returns a RefusedNodePorts without ports.
func NewRefusedNodePorts() *RefusedNodePorts {
	return &RefusedNodePorts{ports: map[types.UID]config.PortSet{}}
}

// allocated extracts the node port from the API server's refusal, which names one of the ports that are taken.
var allocated = regexp.MustCompile(`Invalid value: ([0-9]{1,5}): provided port is already allocated`)

// Note remembers the port that a refusal names, and reports whether it is new.
func (r *RefusedNodePorts) Note(server types.UID, refusal string) bool {
	found := allocated.FindStringSubmatch(refusal)
	if found == nil {
		return false
	}
	port, err := strconv.ParseUint(found[1], 10, 16)
	if err != nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ports[server].Contains(uint16(port)) {
		return false
	}
	r.ports[server] = r.ports[server].Union(config.PortSet{uint16(port)})
	return true
}

// Of returns the node ports that were refused for the server.
func (r *RefusedNodePorts) Of(server types.UID) config.PortSet {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ports[server]
}

// Forget drops everything about a server that is gone.
func (r *RefusedNodePorts) Forget(server types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.ports, server)
}
