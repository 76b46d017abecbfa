package controllers

import (
	"regexp"
	"strconv"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// refusedPorts remembers the node ports that the API server refused for a server, so that others are chosen. An
// operator that is limited to some namespaces can't see which Service holds them.
type refusedPorts struct {
	mu    sync.Mutex
	ports map[types.UID]config.PortSet // by server's UID
}

func newRefusedPorts() *refusedPorts { return &refusedPorts{ports: map[types.UID]config.PortSet{}} }

// allocated extracts the node port from the API server's refusal, which names one of the ports that are taken.
var allocated = regexp.MustCompile(`Invalid value: ([0-9]{1,5}): provided port is already allocated`)

// note remembers the port that a refusal names, and reports whether it is new.
func (r *refusedPorts) note(server types.UID, refusal string) bool {
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

func (r *refusedPorts) of(server types.UID) config.PortSet {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ports[server]
}

func (r *refusedPorts) forget(server types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.ports, server)
}
