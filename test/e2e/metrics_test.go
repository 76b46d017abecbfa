package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/e2e/podnet"
	"github.com/ftp-operator/ftp-operator/test/e2e/prometheus"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

var _ = Describe("Metrics", func() {
	It("are scraped by Prometheus, from whom the policy lets in and nobody else", func(ctx SpecContext) {
		monitoring := newNamespace(ctx, "monitoring")
		scraper := relayPod("prometheus", "pause")
		scraper.Namespace = monitoring
		scraper.Labels = map[string]string{"app.kubernetes.io/name": "prometheus"}
		stranger := relayPod("stranger", "pause")
		stranger.Namespace = monitoring
		for _, pod := range []*corev1.Pod{scraper, stranger} {
			Expect(k8s.Create(ctx, pod)).To(Succeed())
		}
		server := newServer(ctx, func(s *v1alpha1.FtpServer) {
			s.Spec.NetworkPolicy.MetricsFrom = []v1alpha1.PodPeer{{
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: monitoring}},
				PodSelector:       &metav1.LabelSelector{MatchLabels: scraper.Labels},
			}}
		})
		waitReady(ctx, server)
		waitPodReady(ctx, scraper)
		waitPodReady(ctx, stranger)
		pod := onePod(ctx, server)
		inScraper := podnet.New(restConfig, clientset, monitoring, scraper.Name)

		By("by the selected pods alone; and the management API by no pod but the server's own")
		policy := dials{}
		policy.between(scraper, []*corev1.Pod{&pod}, 8021, isOpen)
		policy.between(scraper, []*corev1.Pod{&pod}, 8022, filtered)
		policy.between(stranger, []*corev1.Pod{&pod}, 8021, filtered)
		policy.expect(ctx)
		page, err := fetch(ctx, inScraper, "http://"+net.JoinHostPort(pod.Status.PodIP, "8021")+"/metrics")
		Expect(err).NotTo(HaveOccurred())
		promtool(ctx, page)

		By("running Prometheus")
		proxy, err := prometheus.NewProxy(inScraper)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(proxy.Close)
		p, err := prometheus.Start(ctx, GinkgoT().TempDir(), scrapeConfig(ctx, proxy.URL(), &pod, metricsToken(ctx, monitoring)))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() {
			log, err := p.Stop()
			GinkgoWriter.Println(log)
			Expect(err).NotTo(HaveOccurred())
		})
		expect := func(expr string, value types.GomegaMatcher) {
			GinkgoHelper()
			Eventually(ctx, func(ctx context.Context) (float64, error) {
				got, err := p.Query(ctx, expr)
				if err != nil {
					targets, _ := p.Targets(ctx)
					err = fmt.Errorf("%w; %s", err, targets)
				}
				return got, err
			}).Should(value, expr)
		}
		of := fmt.Sprintf(`{namespace=%q,ftpserver="files",pod=%q}`, server.Namespace, pod.Name)
		with := func(labels string) string { return strings.TrimSuffix(of, "}") + "," + labels + "}" }
		expect("ftp_ready"+of, BeNumerically("==", 1))
		expect("ftp_passive_ports"+of, BeNumerically(">", 0))
		expect("ftp_config_last_load_successful"+of, BeNumerically("==", 1))

		By("transferring files, which shows")
		c := login(ctx, inPod, server)
		expectTransfer(ctx, c, ftpclient.PASV)
		const size = 1 << 20
		expect("ftp_transfer_bytes_total"+with(`direction="upload"`), BeNumerically("==", size))
		expect("ftp_transfer_bytes_total"+with(`direction="download"`), BeNumerically("==", size))
		expect("ftp_transfers_total"+with(`direction="upload",result="ok"`), BeNumerically("==", 1))
		expect("ftp_sessions"+with(`state="logged_in"`), BeNumerically("==", 1))
		Expect(tryLogin(ctx, server, user, "wrong")).NotTo(Succeed())
		expect("ftp_logins_total"+with(`result="incorrect"`), BeNumerically("==", 1))

		By("asking the operator, too")
		ofServer := fmt.Sprintf(`{namespace=%q,name="files"}`, server.Namespace)
		expect("ftp_operator_server_ready"+ofServer, BeNumerically("==", 1))
		expect("ftp_operator_server_passive_ports"+ofServer, BeNumerically("==", 10))
		expect(`count(controller_runtime_reconcile_total{controller="ftpserver"}) > bool 0`, BeNumerically("==", 1))

		By("evaluating the alerts")
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			rules, err := p.Rules(ctx)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(len(rules)).To(BeNumerically(">", 10))
			for _, r := range rules {
				g.Expect(r.Health).To(Equal("ok"), "%s: %s", r.Name, r.LastError)
				g.Expect(r.State).To(Equal("inactive"), r.Name)
			}
		}).Should(Succeed())
	}, SpecTimeout(specTimeout))
})

// fetch gets a page through a network.
func fetch(ctx context.Context, network ftpclient.Network, url string) (string, error) {
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, address string) (net.Conn, error) { return network.Dial(ctx, address) },
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, resp.Status)
	}
	return string(text), err
}

// promtool checks a page of metrics with promtool. Its complaints about Go's own metrics are ignored.
func promtool(ctx context.Context, page string) {
	GinkgoHelper()
	command := exec.CommandContext(ctx, "promtool", "check", "metrics")
	command.Stdin = strings.NewReader(page)
	out, err := command.CombinedOutput()
	var ours []string
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "go_") {
			ours = append(ours, line)
		}
	}
	Expect(ours).To(BeEmpty(), "promtool check metrics (hack/deps.sh e2e installs it): %v", err)
	Expect(page).To(ContainSubstring("\nftp_build_info{"))
}

// metricsToken returns a token of an account that may read the operator's metrics.
func metricsToken(ctx context.Context, namespace string) string {
	GinkgoHelper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "prometheus"}}
	Expect(k8s.Create(ctx, account)).To(Succeed())
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: release + "-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: namespace, Name: account.Name}},
	}
	Expect(k8s.Create(ctx, binding)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(k8s.Delete(ctx, binding))).To(Succeed()) })
	request, err := clientset.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, account.Name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	return request.Status.Token
}

// scrapeConfig returns a configuration with each target listed, as Debian's Prometheus can't discover them from
// Kubernetes. The targets have the labels that the chart's PodMonitor sets, and are reached through a proxy.
func scrapeConfig(ctx context.Context, proxy string, pod *corev1.Pod, token string) prometheus.Config {
	GinkgoHelper()
	alerts, err := filepath.Abs(chart + "/files/alerts.yaml")
	Expect(err).NotTo(HaveOccurred())
	operators := &corev1.PodList{}
	Expect(k8s.List(ctx, operators, client.InNamespace(operatorNamespace), client.MatchingLabels{"app.kubernetes.io/component": "manager"})).To(Succeed())
	Expect(operators.Items).To(HaveLen(1))
	target := func(pod *corev1.Pod, port string, labels map[string]string) []any {
		return []any{map[string]any{"targets": []string{net.JoinHostPort(pod.Status.PodIP, port)}, "labels": labels}}
	}
	return prometheus.Config{
		"global":     map[string]any{"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "2s"},
		"rule_files": []string{alerts},
		"scrape_configs": []any{
			map[string]any{
				"job_name": "ftp", "proxy_url": proxy,
				"static_configs": target(pod, "8021", map[string]string{
					"namespace": pod.Namespace, "pod": pod.Name, "ftpserver": pod.Labels[v1alpha1.ServerLabel],
				}),
			},
			map[string]any{
				"job_name": "ftp-operator", "proxy_url": proxy,
				"static_configs": target(&operators.Items[0], "8443", map[string]string{"namespace": operatorNamespace}),
				"scheme":         "https", "tls_config": map[string]any{"insecure_skip_verify": true},
				"authorization": map[string]any{"credentials": token},
				// As in the chart's ServiceMonitor: the namespace of a FtpServer is not that of the operator's pod.
				"honor_labels": true,
			},
		},
	}
}
