package e2e

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/e2e/podnet"
)

// These are the outcomes of a dial. A policy drops packets, so that it can be distinguished from a port on which
// nothing listens.
const (
	isOpen   = "open"
	refused  = "refused: nobody listens"
	filtered = "filtered: no answer"
)

var _ = Describe("The NetworkPolicy", func() {
	// The daemon listens on ports of the range only. So on every node a decoy pod, which the policy selects like the
	// daemon's pod, listens on ports inside and outside the range, and a client dials them all.
	It("opens the passive range and nothing beyond it, on every node, and nothing out", func(ctx SpecContext) {
		server := newServer(ctx, func(s *v1alpha1.FtpServer) {
			s.Spec.Passive.PortRange = v1alpha1.PortRange{Start: 30000, End: 30009}
		})
		namespace := newNamespace(ctx, "peers")
		waitReady(ctx, server)
		daemon := onePod(ctx, server)
		held := podPorts(daemon)

		var decoys, clients []*corev1.Pod
		for _, node := range nodeNames(ctx) {
			decoy := relayPod("decoy-"+node, "serve", "2121", "29999", "30000", "30009", "30010", "8021")
			decoy.Namespace, decoy.Labels = server.Namespace, map[string]string{v1alpha1.ServerLabel: server.Name}
			peer := relayPod("client-"+node, "serve", "5000")
			peer.Namespace = namespace
			for _, pod := range []*corev1.Pod{decoy, peer} {
				pod.Spec.NodeSelector = map[string]string{corev1.LabelHostname: node}
				Expect(k8s.Create(ctx, pod)).To(Succeed())
			}
			decoys, clients = append(decoys, decoy), append(clients, peer)
		}
		for i := range decoys {
			waitPodReady(ctx, decoys[i])
			waitPodReady(ctx, clients[i])
		}

		matrix := func(o outcomes) dials {
			all := dials{}
			for _, from := range clients {
				for _, port := range []int{2121, 30000, 30009} {
					all.between(from, decoys, port, o.within)
				}
				for _, port := range []int{29999, 30010, 8021} {
					all.between(from, decoys, port, o.beyond)
				}
				own := []*corev1.Pod{&daemon}
				all.between(from, own, 2121, o.within)
				all.between(from, own, int(held[0]), o.within)
				all.between(from, own, 29999, o.unused)
				all.between(from, own, 30010, o.unused)
			}
			for _, from := range decoys {
				all.between(from, clients, 5000, o.outHigh)
				all.between(from, clients, 22, o.outLow)
			}
			return all
		}
		matrix(outcomes{isOpen, filtered, filtered, filtered, filtered}).expect(ctx)

		By("while it leads no traffic to a pod that is not the server's own, whatever its labels")
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
		Expect(server.Status.Pods).To(HaveLen(1))
		Expect(server.Status.Pods[0].Name).To(Equal(daemon.Name))

		By("to networks that are allowed, and to no others")
		update(ctx, server, func(s *v1alpha1.FtpServer) {
			s.Spec.NetworkPolicy.AllowedNetworks = []v1alpha1.Network{"192.0.2.0/24"}
		})
		matrix(outcomes{filtered, filtered, filtered, filtered, filtered}).expect(ctx)

		By("and with active mode to their high ports")
		update(ctx, server, func(s *v1alpha1.FtpServer) {
			s.Spec.NetworkPolicy.AllowedNetworks = append(s.Spec.NetworkPolicy.AllowedNetworks, "0.0.0.0/0")
			s.Spec.Active.Enabled = true
		})
		matrix(outcomes{isOpen, filtered, filtered, isOpen, filtered}).expect(ctx)

		By("and without the policy everything: it was the policy")
		no := false
		update(ctx, server, func(s *v1alpha1.FtpServer) { s.Spec.NetworkPolicy.Enabled = &no })
		matrix(outcomes{isOpen, isOpen, refused, isOpen, refused}).expect(ctx)
	}, SpecTimeout(specTimeout))
})

// outcomes are the outcomes of dials to ports within the range and the control port, to ports outside the range, to
// ports on which the decoy listens and the daemon does not, and from the server's pods to high ports and to low ones.
type outcomes struct{ within, beyond, unused, outHigh, outLow string }

// dials are the expected outcomes of dials between pods, by description.
type dials map[string]dialed

type dialed struct {
	from    *corev1.Pod
	address string
	outcome string
}

func (d dials) between(from *corev1.Pod, to []*corev1.Pod, port int, outcome string) {
	for _, pod := range to {
		d[fmt.Sprintf("%s to %s, port %d", from.Name, pod.Name, port)] = dialed{from, net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(port)), outcome}
	}
}

// expect repeats all dials at once until every outcome is as expected: policies take effect with a delay.
func (d dials) expect(ctx context.Context) {
	GinkgoHelper()
	want := map[string]string{}
	for name, one := range d {
		want[name] = one.outcome
	}
	Eventually(ctx, func(ctx context.Context) map[string]string {
		var mu sync.Mutex
		var wait sync.WaitGroup
		got := map[string]string{}
		for name, one := range d {
			wait.Go(func() {
				outcome := dialFrom(ctx, one.from, one.address)
				mu.Lock()
				defer mu.Unlock()
				got[name] = outcome
			})
		}
		wait.Wait()
		return got
	}).Should(Equal(want))
}

func dialFrom(ctx context.Context, from *corev1.Pod, address string) string {
	conn, err := podnet.New(restConfig, clientset, from.Namespace, from.Name).Dial(ctx, address)
	switch {
	case err == nil:
		_ = conn.Close()
		return isOpen
	case strings.Contains(err.Error(), "connection refused"):
		return refused
	case strings.Contains(err.Error(), "i/o timeout"):
		return filtered
	}
	return err.Error()
}
