package e2e

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
)

// needMachines skips the test if the cluster's machines can't be controlled.
func needMachines() {
	if len(env.node) == 0 {
		Skip("NOT TESTED: what happens when machines and processes fail. E2E_NODE names no command for it; `make e2e` has one where it makes the cluster itself")
	}
}

// onNode runs E2E_NODE, as in onNode(ctx, "stop", "n2").
func onNode(ctx context.Context, args ...string) string {
	GinkgoHelper()
	return runCommand(ctx, nodeCommand(args...))
}

// nodeCommand returns E2E_NODE with arguments.
func nodeCommand(args ...string) []string { return append(slices.Clone(env.node), args...) }

// onAPIServer runs E2E_APISERVER, with stop or start.
func onAPIServer(ctx context.Context, action string) {
	GinkgoHelper()
	runCommand(ctx, append(env.apiServer, action))
}

func runCommand(ctx context.Context, command []string) string {
	GinkgoHelper()
	out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s:\n%s", strings.Join(command, " "), out)
	return string(out)
}

// nodeNames returns the names of all nodes.
func nodeNames(ctx context.Context) []string {
	GinkgoHelper()
	nodes := &corev1.NodeList{}
	Expect(k8s.List(ctx, nodes)).To(Succeed())
	var names []string
	for _, node := range nodes.Items {
		names = append(names, node.Name)
	}
	return names
}

// explanations counts the calls of unreachable, of which only the first look at the nodes.
var explanations atomic.Int32

// unreachable returns what the nodes know of the port in an address: the connections that have not been answered, and
// kube-proxy's rules. It returns nothing if the cluster's machines can't be controlled.
func unreachable(ctx context.Context, address string) string {
	nodes := &corev1.NodeList{}
	if len(env.node) == 0 || explanations.Add(1) > 3 || k8s.List(ctx, nodes) != nil {
		return ""
	}
	_, port, _ := net.SplitHostPort(address)
	script := "grep UNREPLIED /proc/net/nf_conntrack | grep 'dport=" + port + " ' | head -4; nft list table ip kube-proxy | grep -w " + port + " | head -12"
	var b strings.Builder
	for _, node := range nodes.Items {
		command := nodeCommand("exec", node.Name, "sh", "-c", script)
		out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
		fmt.Fprintf(&b, "node %s, error %v:\n%s", node.Name, err, out)
	}
	return b.String()
}
