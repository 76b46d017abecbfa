package address_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/address"
)

func TestOfNode(t *testing.T) {
	nodes := []address.Node{
		node("a", "203.0.113.2 203.0.113.1", "10.0.0.1"), node("b", "", "fd00::2 10.0.0.2"),
		node("down", "", "10.0.0.3"), node("empty", "", "10.0.0.4"), node("none", "", ""), node("six", "2001:db8::6", "10.0.0.6"),
	}
	for name, test := range map[string]struct {
		node, previous string
		hidden         bool
		address        string
		source         v1alpha1.AddressSource
		reason         string
		message        string
	}{
		"external before internal, the lowest":     {node: "a", address: "203.0.113.1", source: v1alpha1.AddressFromNodeExternalIP},
		"what is advertised stays":                 {node: "a", previous: "203.0.113.2", address: "203.0.113.2", source: v1alpha1.AddressFromNodeExternalIP},
		"an external one that has come":            {node: "a", previous: "10.0.0.1", address: "203.0.113.1", source: v1alpha1.AddressFromNodeExternalIP},
		"another node's is not kept":               {node: "a", previous: "10.0.0.2", address: "203.0.113.1", source: v1alpha1.AddressFromNodeExternalIP},
		"internal, IPv4 first":                     {node: "b", address: "10.0.0.2", source: v1alpha1.AddressFromNodeInternalIP},
		"an external IPv6 before an internal IPv4": {node: "six", address: "2001:db8::6", source: v1alpha1.AddressFromNodeExternalIP},
		"a node that is not ready":                 {node: "down", address: "10.0.0.3", source: v1alpha1.AddressFromNodeInternalIP},
		"a node that is not yet known to have it":  {node: "empty", address: "10.0.0.4", source: v1alpha1.AddressFromNodeInternalIP},
		"no address": {node: "none", reason: address.ReasonNoNodeAddress, message: "node none has no IP address"},
		"no address any more": {node: "none", previous: "203.0.113.7", address: "203.0.113.7", reason: address.ReasonAddressLost,
			message: "node none has no IP address; 203.0.113.7, the last one known, is advertised on"},
		"the node is gone": {node: "gone", previous: "203.0.113.7", address: "203.0.113.7", reason: address.ReasonAddressLost},
		"malformed, and mended": {node: "a", previous: "203.0.113", address: "203.0.113.1",
			source: v1alpha1.AddressFromNodeExternalIP},
		"malformed, and nothing better": {node: "none", previous: "0.0.0.0", reason: address.ReasonNoNodeAddress},
		"nodes may not be read":         {node: "a", hidden: true, reason: address.ReasonNodesNotReadable, message: "set spec.passive.advertisedAddress"},
		"nodes may not be read any more": {node: "a", hidden: true, previous: "203.0.113.2", address: "203.0.113.2",
			reason: address.ReasonAddressLost},
	} {
		t.Run(name, func(t *testing.T) {
			known := nodes
			if test.hidden {
				known = nil
			}
			got := address.OfNode(test.node, known, test.hidden, test.previous)
			if got.Address != test.address || got.Source != test.source || got.Reason != test.reason || !strings.Contains(got.Message, test.message) {
				t.Errorf("got %+v", got)
			}
			if (got.Reason == "") != (got.Message == "") || got.Lost != (got.Reason == address.ReasonAddressLost) {
				t.Errorf("reason and message do not fit: %+v", got)
			}
		})
	}
}

// TestOfNodeIsItsOwn: the result is an address of the pod's own node, whatever the other nodes have, and it stays the
// same when it is the one advertised.
func TestOfNodeIsItsOwn(t *testing.T) {
	ip := rapid.SampledFrom([]string{"192.0.2.1", "192.0.2.2", "198.51.100.3", "10.9.8.7", "2001:db8::1"})
	rapid.Check(t, func(t *rapid.T) {
		var nodes []address.Node
		for _, name := range []string{"a", "b", "c"} {
			external := strings.Join(rapid.SliceOfN(ip, 0, 2).Draw(t, "external"), " ")
			nodes = append(nodes, node(name, external, ip.Draw(t, "internal")))
		}
		nodes = rapid.Permutation(nodes).Draw(t, "order")
		got := address.OfNode("b", nodes, false, ip.Draw(t, "previous"))
		own := false
		for _, n := range nodes {
			for _, a := range n.Addresses {
				own = own || n.Name == "b" && a.Type != corev1.NodeHostName && a.Address == got.Address
			}
		}
		if !own || got.Reason != "" {
			t.Fatalf("found %+v among %+v", got, nodes)
		}
		if again := address.OfNode("b", nodes, false, got.Address); again != got {
			t.Fatalf("found %+v, and then %+v", got, again)
		}
	})
}
