package controllers_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// A cluster has frequent events of Services, nodes and Secrets, and most concern no FtpServer. With 1,000 FtpServers
// such an event must cost no request and copy none of the servers.
var _ = Describe("with 1,000 FtpServers", Serial, func() {
	It("costs next to nothing to find out whom an event of something else concerns", func(ctx context.Context) {
		const servers = 1000
		c := newCluster(ctx)
		c.manage(operatorConfig, c.namespace)
		make1000 := func(i int) {
			defer GinkgoRecover()
			Expect(admin.Create(ctx, c.files(func(s *v1alpha1.FtpServer) {
				s.Name = fmt.Sprintf("files-%d", i)
				s.Spec.Suspend = true // so that creating them is all the work
				s.Spec.Service.Type = corev1.ServiceTypeNodePort
				s.Spec.Service.Annotations = map[string]string{"example.com/note": "as large as usual"}
				for u := range 8 {
					s.Spec.Users = append(s.Spec.Users, user(fmt.Sprintf("user-%d-%d", i, u)))
				}
			}))).To(Succeed())
		}
		var wait sync.WaitGroup
		next := make(chan int)
		for range 8 {
			wait.Go(func() {
				for i := range next {
					make1000(i)
				}
			})
		}
		for i := range servers {
			next <- i
		}
		close(next)
		wait.Wait()
		Eventually(func() int { return len(c.managed.RequestsOfNode()) }, "3m").Should(Equal(servers))
		Eventually(func() int {
			var list v1alpha1.FtpServerList
			Expect(c.cached.List(ctx, &list, client.InNamespace(c.namespace))).To(Succeed())
			suspended := 0
			for i := range list.Items {
				if len(list.Items[i].Status.Conditions) > 0 {
					suspended++
				}
			}
			return suspended
		}, "3m").Should(Equal(servers))
		c.quiet()

		service := func(port int32) *corev1.Service {
			return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Spec: corev1.ServiceSpec{
				Type: corev1.ServiceTypeNodePort, Ports: []corev1.ServicePort{{Port: 80, NodePort: port, Protocol: corev1.ProtocolTCP}},
			}}
		}
		Expect(c.managed.RequestsOfService(service(30045))).To(HaveLen(servers), "it is in the way of all")
		Expect(c.managed.RequestsOfService(service(31999))).To(BeEmpty())
		secret := &corev1.Secret{ObjectMeta: c.meta("user-7-7-ftp")}
		Expect(c.managed.RequestsOfSecret(ctx, secret)).To(HaveLen(1))

		const kib = 1 << 10
		c.traffic.reset()
		foreign := &corev1.Secret{ObjectMeta: c.meta("foreign")}
		Expect(bytesOf(func() { c.managed.RequestsOfNode() })).To(BeNumerically("<", 512*kib), "a node: only the list of whom it concerns")
		Expect(bytesOf(func() { c.managed.RequestsOfService(service(31999)) })).To(BeNumerically("<", 16*kib), "a Service")
		Expect(bytesOf(func() { c.managed.RequestsOfSecret(ctx, foreign) })).To(BeNumerically("<", 64*kib), "a Secret")
		Expect(c.traffic.requests()).To(BeZero())

		// The same through the watches: an event of a Secret that no server names causes no request.
		for i := range 5 {
			Expect(admin.Create(ctx, &corev1.Secret{ObjectMeta: c.meta(fmt.Sprintf("foreign-%d", i))})).To(Succeed())
		}
		Consistently(c.traffic.requests, "1s").Should(BeZero())
	})
})

// bytesOf returns the bytes that a call allocates: the smallest of several measurements, since other goroutines
// allocate too.
func bytesOf(call func()) uint64 {
	least := ^uint64(0)
	for range 20 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		call()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}
