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
	"github.com/ftp-operator/ftp-operator/test/e2e/ftpclient"
)

// frontend is an address of this machine on which HAProxy listens, and how it tells of clients:
// send-proxy (version 1 of the PROXY protocol) or send-proxy-v2.
type frontend struct {
	address netip.Addr
	send    string
}

// startHAProxy runs it until the test ends, in front of a server's load balancer address. One listener
// takes the control port and all passive ports: a server line without a port leads each to its like.
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

// loopback is an address of this machine that is as much one load balancer's own as ip is.
func loopback(network byte, ip netip.Addr) netip.Addr {
	b := ip.As4()
	return netip.AddrFrom4([4]byte{127, network, b[2], b[3]})
}

// needHAProxy skips where this machine can't run it in front of the cluster.
func needHAProxy() {
	if runtime.GOOS != "linux" || !env.loadBalancers.IsValid() || !env.loadBalancers.Addr().Is4() {
		Skip("NOT TESTED: HAProxy in front. It needs Linux, whose loopback has all of 127.0.0.0/8, and IPv4 load balancer addresses that this machine can dial (E2E_LB_CIDR)")
	}
}

// seenFrom are the addresses from which pods see clients outside of the cluster under policy Cluster:
// a pod on another node than the one that they come by sees that node's own, a pod on that very node
// the one that the node has on its pod network. So each pod is met by its own node's port.
func seenFrom(ctx context.Context, server *v1alpha1.FtpServer) []netip.Addr {
	GinkgoHelper()
	nodes := &corev1.NodeList{}
	Expect(k8s.List(ctx, nodes)).To(Succeed())
	seen := map[netip.Addr]bool{}
	byName := map[string]string{}
	for _, node := range nodes.Items {
		for _, address := range node.Status.Addresses {
			if ip, err := netip.ParseAddr(address.Address); err == nil {
				seen[ip] = true
				byName[node.Name] = address.Address
			}
		}
	}
	service := &corev1.Service{}
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), service)).To(Succeed())
	control := slices.IndexFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return p.Port == 21 })
	Expect(control).NotTo(Equal(-1))
	for _, pod := range pods(ctx, server) {
		address := fmt.Sprintf("%s:%d", byName[pod.Spec.NodeName], service.Spec.Ports[control].NodePort)
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			session, err := ftpclient.Login(ctx, ftpclient.Host{}, address, user, password)
			g.Expect(err).NotTo(HaveOccurred())
			own := netip.MustParseAddrPort(session.LocalAddr().String()).Addr()
			g.Expect(session.Quit()).To(Succeed())
			lines := auditLog(ctx, pod)
			g.Expect(lines).NotTo(BeEmpty(), "sessions on pod %s", pod.Name)
			for _, line := range lines {
				seen[netip.MustParseAddrPort(line["peer"]).Addr()] = true
			}
			g.Expect(seen).NotTo(HaveKey(own), "the client's own address under policy Cluster")
		}).Should(Succeed())
	}
	return slices.SortedFunc(maps.Keys(seen), netip.Addr.Compare)
}
