package address

import (
	"fmt"
	"slices"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// OfNode finds the address of the one node through which a pod on it is reached (type NodePort with
// externalTrafficPolicy Local): an external IP or else an internal one, chosen as by Find. It does not matter whether
// the node is ready, since the pod has no other. hidden is true if nodes may not be read.
//
// previous is what the pod advertises now, as its annotation says. It stays while the node has it, and also while the
// node has no address, for instance because it is gone.
func OfNode(name string, nodes []Node, hidden bool, previous string) Result {
	if ip, err := config.ParsePodAddress(previous); err != nil || !ip.IsValid() {
		previous = "" // edited by hand
	} else {
		previous = ip.String()
	}
	var result Result
	if i := slices.IndexFunc(nodes, func(n Node) bool { return n.Name == name }); i >= 0 {
		result = ofNodes(nodes[i:i+1], previous)
	}
	if result.Address != "" {
		return result
	}
	result = Result{Reason: ReasonNoNodeAddress, Message: fmt.Sprintf("node %s has no IP address", name)}
	if hidden {
		result = Result{Reason: ReasonNodesNotReadable, Message: messageHidden}
	}
	if previous != "" {
		return Result{
			Address: previous, Lost: true, Reason: ReasonAddressLost,
			Message: fmt.Sprintf("%s; %s, the last one known, is advertised on", result.Message, previous),
		}
	}
	return result
}
