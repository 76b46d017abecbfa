package e2e

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/e2e/load"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

var _ = Describe("A selector that a hand put on the Service", func() {
	It("misroutes nothing any more once the operator has taken it off", func(ctx SpecContext) {
		needSeveralNodes(ctx)
		server := newServer(ctx, func(s *v1alpha1.FtpServer) {
			two := int32(2)
			s.Spec.Replicas = &two
			s.Spec.Service.Type = corev1.ServiceTypeLoadBalancer
			s.Spec.Service.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster
			s.Spec.Passive.PortRange = v1alpha1.PortRange{Start: 30000, End: 30023}
			s.Spec.Storage = manyPodsStorage()
		})
		waitReady(ctx, server)
		logs := follow(ctx, server)
		cfg := load.Config{
			Network: ftpclient.Host{}, Address: controlAddress(server), User: user, Password: password,
			Clients: 8, PerSession: 5, MaxSize: 64 << 10, RetryAfter: 500 * time.Millisecond, Patience: 2 * time.Second,
			Pause: 50 * time.Millisecond, Dir: "selected-", Seed: uint64(GinkgoRandomSeed()),
		}
		running := load.Start(ctx, cfg)
		Eventually(ctx, running.Tried).Should(BeNumerically(">", cfg.Clients))

		// Stop the operator, so that the actions of the cluster's controllers are visible.
		scaleOperator(ctx, 0)
		DeferCleanup(func(ctx SpecContext) { scaleOperator(ctx, 1) }, NodeTimeout(specTimeout))
		kubectl(ctx, "patch", "service", server.Name, "--namespace", server.Namespace, "--type=merge",
			"--patch", `{"spec":{"selector":{"`+v1alpha1.ServerLabel+`":"`+server.Name+`"}}}`)
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			g.Expect(foreignManagers(ctx, server)).To(ContainElement("endpointslice-controller.k8s.io"))
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), endpointsObject())).To(Succeed())
		}).Should(Succeed(), "the cluster makes endpoints of the selector")
		during := running.Stop().Summary()
		GinkgoWriter.Printf("with the selector: %v\n", during)

		scaleOperator(ctx, 1)
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			service := &corev1.Service{}
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), service)).To(Succeed())
			g.Expect(service.Spec.Selector).To(BeEmpty())
			g.Expect(foreignManagers(ctx, server)).To(BeEmpty())
			g.Expect(apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(server), endpointsObject()))).To(BeTrue())
		}).Should(Succeed(), "the operator takes it off, and away what was made of it")

		// The nodes follow the API server with a short delay.
		Eventually(ctx, func(ctx context.Context) error {
			for range 20 {
				if err := tryTransfer(ctx, ftpclient.Host{}, server); err != nil {
					return err
				}
			}
			return nil
		}).Should(Succeed(), "the nodes have caught up")

		cfg.Dir, cfg.Transfers = "mended-", 400
		after := load.Start(ctx, cfg).Wait()
		Expect(after.Summary().Outcomes).To(Equal(map[load.Outcome]int{load.Completed: cfg.Transfers}), after.Failures(20))
		expectTraced(ctx, after, logs)
		Expect(foreignManagers(ctx, server)).To(BeEmpty(), "nothing makes them again")
	}, SpecTimeout(routingTimeout))
})

// foreignManagers returns the managers of those slices of the server's Service that are not the operator's.
func foreignManagers(ctx context.Context, server *v1alpha1.FtpServer) []string {
	GinkgoHelper()
	list := &discoveryv1.EndpointSliceList{}
	Expect(k8s.List(ctx, list, client.InNamespace(server.Namespace),
		client.MatchingLabels{discoveryv1.LabelServiceName: server.Name})).To(Succeed())
	var managers []string
	for i := range list.Items {
		if by := list.Items[i].Labels[discoveryv1.LabelManagedBy]; by != v1alpha1.SliceManager {
			managers = append(managers, by)
		}
	}
	return managers
}

// endpointsObject returns an empty Endpoints object to read into.
func endpointsObject() *metav1.PartialObjectMetadata {
	m := &metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Endpoints"))
	return m
}
