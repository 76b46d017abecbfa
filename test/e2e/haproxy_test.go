package e2e

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// frontend is an address of this machine on which HAProxy listens, and the way in which it reports clients:
// send-proxy (version 1 of the PROXY protocol) or send-proxy-v2.
type frontend struct {
	address netip.Addr
	send    string
}

// startHAProxy runs HAProxy until the test ends, in front of a server's load balancer address. One listener accepts
// the control port and all passive ports: a server line without a port forwards each to the same port.
func startHAProxy(ctx context.Context, backend string, ports v1alpha1.PortRange, frontends ...frontend) {
	GinkgoHelper()
	var config bytes.Buffer
	fmt.Fprintln(&config, "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 2m\n  timeout server 2m")
	for _, f := range frontends {
		fmt.Fprintf(&config, "listen %s\n  bind %s:21,%s:%d-%d\n  server ftp %s %s\n",
			f.send, f.address, f.address, ports.Start, ports.End, backend, f.send)
	}
	file := filepath.Join(GinkgoT().TempDir(), "haproxy.cfg")
	Expect(os.WriteFile(file, config.Bytes(), 0o600)).To(Succeed())

	var said bytes.Buffer
	command := exec.Command("haproxy", "-db", "-f", file)
	command.Stdout, command.Stderr = &said, &said
	Expect(command.Start()).To(Succeed(), "HAProxy; `hack/deps.sh e2e` installs it")
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	DeferCleanup(func() {
		_ = command.Process.Kill()
		<-ended
	})
	Eventually(ctx, func(g Gomega, ctx context.Context) {
		select {
		case err := <-ended:
			ended <- err
			StopTrying(fmt.Sprintf("HAProxy ended (%v) and said:\n%s\nwith\n%s", err, said.String(), config.String())).Now()
		default:
		}
		for _, f := range frontends {
			conn, err := ftpclient.Host{}.Dial(ctx, netip.AddrPortFrom(f.address, 21).String())
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(conn.Close()).To(Succeed())
		}
	}).Should(Succeed())
}

// loopback returns a loopback address of this machine that is unique to the load balancer address ip.
func loopback(network byte, ip netip.Addr) netip.Addr {
	b := ip.As4()
	return netip.AddrFrom4([4]byte{127, network, b[2], b[3]})
}

// needHAProxy skips the test if this machine can't run HAProxy in front of the cluster.
func needHAProxy() {
	if runtime.GOOS != "linux" || !env.loadBalancers.IsValid() || !env.loadBalancers.Addr().Is4() {
		Skip("NOT TESTED: HAProxy in front. It needs Linux, whose loopback has all of 127.0.0.0/8, and IPv4 load balancer addresses that this machine can dial (E2E_LB_CIDR)")
	}
}

// seenFrom returns the addresses from which pods see clients outside of the cluster with policy Cluster. A pod on
// another node than the dialled one sees that node's own address; a pod on the dialled node sees the node's address
// on its pod network. kube-proxy chooses the pod, so seenFrom opens sessions through each node's port until every pod
// has had one from every node.
func seenFrom(ctx context.Context, server *v1alpha1.FtpServer) []netip.Addr {
	GinkgoHelper()
	nodes := &corev1.NodeList{}
	Expect(k8s.List(ctx, nodes)).To(Succeed())
	service := &corev1.Service{}
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), service)).To(Succeed())
	control := slices.IndexFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return p.Port == 21 })
	Expect(control).NotTo(Equal(-1))

	seen := map[netip.Addr]bool{}
	logins := map[string]int{} // by pod
	for _, node := range nodes.Items {
		var own netip.Addr
		for _, address := range node.Status.Addresses {
			if ip, err := netip.ParseAddr(address.Address); err == nil {
				own, seen[ip] = ip, true
			}
		}
		met := map[string]bool{}
		address := netip.AddrPortFrom(own, uint16(service.Spec.Ports[control].NodePort)).String() //nolint:gosec // a port
		// If sessions are spread evenly over the ready pods, 100 sessions miss one of them once in 10^30 runs.
		for range 100 {
			if len(met) == len(pods(ctx, server)) {
				break
			}
			pod := loginOnSomePod(ctx, server, address)
			met[pod] = true
			logins[pod]++
		}
		Expect(met).To(HaveLen(len(pods(ctx, server))), "pods reached by the port of node %s", node.Name)
	}
	for _, pod := range pods(ctx, server) {
		var lines []auditLine
		Eventually(ctx, func() int {
			lines = slices.DeleteFunc(auditLog(ctx, pod), func(line auditLine) bool { return line["event"] != "login" })
			return len(lines)
		}).Should(BeNumerically(">=", logins[pod.Name]), "logins in the audit log of pod %s", pod.Name)
		for _, line := range lines {
			seen[netip.MustParseAddrPort(line["peer"]).Addr()] = true
		}
	}
	return slices.SortedFunc(maps.Keys(seen), netip.Addr.Compare)
}

// loginOnSomePod opens and ends a session, and returns the name of its pod: the one that has the passive port in the
// reply.
func loginOnSomePod(ctx context.Context, server *v1alpha1.FtpServer, address string) string {
	GinkgoHelper()
	session, err := ftpclient.Login(ctx, ftpclient.Host{}, address, user, password)
	Expect(err).NotTo(HaveOccurred())
	told, err := session.Passive(ftpclient.EPSV)
	Expect(err).NotTo(HaveOccurred())
	Expect(session.Quit()).To(Succeed())
	port := netip.MustParseAddrPort(told).Port()
	for _, pod := range pods(ctx, server) {
		ports, err := config.ParsePortSet(pod.Annotations[v1alpha1.PassivePortsAnnotation])
		Expect(err).NotTo(HaveOccurred())
		if ports.Contains(port) {
			return pod.Name
		}
	}
	Fail(fmt.Sprintf("no pod has port %d", port))
	return ""
}
