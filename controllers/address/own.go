package address

import (
	"fmt"
	"slices"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// OfNode finds the address of one node, by which alone a pod on it is reached (type NodePort with externalTrafficPolicy
// Local): an external and else an internal IP, chosen as Find does. Whether the node is ready plays no part: the pod has no
// other. Hidden is true if nodes may not be read.
//
// Previous is what the pod advertises now, as its annotation says. It stays while the node has it, and also
// while the node, which may be gone, has none.
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
