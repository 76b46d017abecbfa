// Package e2e tests the whole system on a real cluster: the operator installed by its Helm chart, FTP through load
// balancer, node port and cluster addresses, and the effects of changes and failures.
//
// It is run by `make e2e`, which sets:
//
//	E2E_KUBECONFIG   the cluster; without it nothing is tested
//	E2E_IMAGE        the operator's image, which the cluster has or can pull
//	E2E_RELAY_IMAGE  the image of test/e2e/relay, likewise
//	E2E_PREVIOUS_IMAGE, E2E_PREVIOUS_CHART   the previous release's, likewise, and the folder of its chart;
//	                 empty: version skew is not tested
//	E2E_HELM         helm; default: from the PATH
//	E2E_KUBECTL      kubectl, for the diagnostics; default: from the PATH
//	E2E_LB_CIDR      load balancer addresses that this machine can dial; empty: it dials none, and
//	                 everything is tested from a pod
//	E2E_NODE         a command that takes `stop NODE`, as by power loss, `start NODE`, and
//	                 `exec NODE COMMAND...`; without it machines are left in peace
//	E2E_APISERVER    a command that takes `stop` and `start`, of the API server; likewise
//	E2E_SHARED_CLASS a StorageClass of volumes that several nodes can mount (ReadWriteMany); empty: what
//	                 needs several pods is not tested
//	E2E_LOAD_CLIENTS, E2E_LOAD_TRANSFERS   the size of the load on several pods; default 40 and 2000
//	E2E_ARTIFACTS    where diagnostics of failed tests are written; default: a temporary folder
package e2e

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/test/e2e/podnet"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

const (
	release           = "ftp-operator"
	operatorNamespace = "ftp-operator-system"
	chart             = "../../charts/ftp-operator"
)

// settings are the values of the environment variables.
type settings struct {
	kubeconfig, image, relayImage, helm, kubectl, artifacts, sharedClass string
	previousImage, previousChart                                         string

	loadBalancers         netip.Prefix
	loadClients, loadSize int
	// node and apiServer are commands with their first arguments; empty if not set.
	node, apiServer []string
}

var (
	env        settings
	restConfig *rest.Config
	clientset  kubernetes.Interface
	k8s        client.Client
	// inPod is the network of a pod of the cluster.
	inPod ftpclient.Network
)

func TestE2E(t *testing.T) {
	if os.Getenv("E2E_KUBECONFIG") == "" {
		t.Skip("NOT TESTED: E2E_KUBECONFIG names no cluster; `make e2e` makes one and runs this")
	}
	RegisterFailHandler(Fail)
	// client-go logs every relay that is cancelled, and every relay ends in that way.
	klog.SetLogger(logr.Discard())
	SetDefaultEventuallyTimeout(2 * time.Minute)
	SetDefaultEventuallyPollingInterval(100 * time.Millisecond)
	SetDefaultConsistentlyDuration(3 * time.Second)
	SetDefaultConsistentlyPollingInterval(200 * time.Millisecond)
	RunSpecs(t, "ftp-operator on a real cluster")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	env = readSettings()
	var err error
	restConfig, err = clientcmd.BuildConfigFromFlags("", env.kubeconfig)
	Expect(err).NotTo(HaveOccurred())
	restConfig.QPS, restConfig.Burst = 100, 200
	clientset, err = kubernetes.NewForConfig(restConfig)
	Expect(err).NotTo(HaveOccurred())
	Expect(v1alpha1.AddToScheme(clientgoscheme.Scheme)).To(Succeed())
	k8s, err = client.New(restConfig, client.Options{Scheme: clientgoscheme.Scheme})
	Expect(err).NotTo(HaveOccurred())

	shells, err = os.MkdirTemp("", "ftp-operator-e2e-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, shells)

	By("installing the operator with its Helm chart")
	installOperator(ctx)
	DeferCleanup(func(ctx SpecContext) {
		removeNamespaces(ctx)
		helm(ctx, "uninstall", release, "--namespace", operatorNamespace, "--wait")
		deleteNamespace(ctx, operatorNamespace)
		deleteCRD(ctx)
	}, NodeTimeout(5*time.Minute))

	By("starting a pod that lends us its network")
	namespace := newNamespace(ctx, "clients")
	pod := relayPod("client", "pause")
	pod.Namespace = namespace
	Expect(k8s.Create(ctx, pod)).To(Succeed())
	waitPodReady(ctx, pod)
	inPod = podnet.New(restConfig, clientset, namespace, pod.Name)
}, NodeTimeout(5*time.Minute))

// This runs before any cleanup, while the pods that failed still exist.
var _ = JustAfterEach(func(ctx SpecContext) {
	if report := CurrentSpecReport(); report.Failed() {
		writeDiagnostics(ctx, report)
	}
}, NodeTimeout(2*time.Minute))

func readSettings() settings {
	s := settings{
		kubeconfig:    os.Getenv("E2E_KUBECONFIG"),
		image:         os.Getenv("E2E_IMAGE"),
		relayImage:    os.Getenv("E2E_RELAY_IMAGE"),
		previousImage: os.Getenv("E2E_PREVIOUS_IMAGE"),
		previousChart: os.Getenv("E2E_PREVIOUS_CHART"),
		helm:          cmp.Or(os.Getenv("E2E_HELM"), "helm"),
		kubectl:       cmp.Or(os.Getenv("E2E_KUBECTL"), "kubectl"),
		node:          strings.Fields(os.Getenv("E2E_NODE")),
		apiServer:     strings.Fields(os.Getenv("E2E_APISERVER")),
		sharedClass:   os.Getenv("E2E_SHARED_CLASS"),
		loadClients:   number("E2E_LOAD_CLIENTS", 40),
		loadSize:      number("E2E_LOAD_TRANSFERS", 2000),
		artifacts:     cmp.Or(os.Getenv("E2E_ARTIFACTS"), filepath.Join(os.TempDir(), "ftp-operator-e2e")),
	}
	Expect(s.image).NotTo(BeEmpty(), "E2E_IMAGE must name the operator's image")
	Expect(s.relayImage).NotTo(BeEmpty(), "E2E_RELAY_IMAGE must name the relay's image")
	if cidr := os.Getenv("E2E_LB_CIDR"); cidr != "" {
		var err error
		s.loadBalancers, err = netip.ParsePrefix(cidr)
		Expect(err).NotTo(HaveOccurred(), "E2E_LB_CIDR")
	}
	return s
}

// number returns the value of an environment variable, or otherwise if it is not set.
func number(name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	Expect(err).NotTo(HaveOccurred(), name)
	return n
}

// helm runs helm; if it fails, the test fails with its output.
func helm(ctx context.Context, args ...string) string {
	GinkgoHelper()
	command := exec.CommandContext(ctx, env.helm, args...)
	command.Env = append(os.Environ(), "KUBECONFIG="+env.kubeconfig)
	out, err := command.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "helm %s:\n%s", strings.Join(args, " "), out)
	return string(out)
}

// kubectl runs kubectl; if it fails, the test fails with its output.
func kubectl(ctx context.Context, args ...string) {
	GinkgoHelper()
	command := exec.CommandContext(ctx, env.kubectl, append([]string{"--kubeconfig", env.kubeconfig}, args...)...)
	out, err := command.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "kubectl %s:\n%s", strings.Join(args, " "), out)
}

// installOperator installs the operator as the README says, unless it is installed already.
func installOperator(ctx context.Context) {
	GinkgoHelper()
	if strings.Contains(helm(ctx, "list", "--namespace", operatorNamespace, "--short"), release) {
		return
	}
	command := documented("README.md", "helm install "+release)[0]
	command.Text += " --wait --timeout 3m"
	newShell(ctx, "default").run(ctx, command)
}

// writeDiagnostics writes what is most useful for finding the cause of a failure.
func writeDiagnostics(ctx context.Context, report SpecReport) {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, report.FullText())
	folder := filepath.Join(env.artifacts, name[:min(len(name), 120)])
	if err := os.MkdirAll(folder, 0o755); err != nil {
		AddReportEntry("diagnostics could not be written", err.Error())
		return
	}
	files := map[string][]string{
		"objects.txt":   {"get", "all,ftpservers,endpointslices,networkpolicies,pvc,events", "--all-namespaces", "-o", "wide"},
		"servers.yaml":  {"get", "ftpservers,services,endpointslices,deployments,pods", "--all-namespaces", "-o", "yaml"},
		"describe.txt":  {"describe", "ftpservers,pods", "--all-namespaces"},
		"operator.log":  {"logs", "--namespace", operatorNamespace, "--selector", "app.kubernetes.io/instance=" + release, "--tail=-1", "--prefix"},
		"nodes.txt":     {"describe", "nodes"},
		"allevents.txt": {"get", "events", "--all-namespaces", "--sort-by=.lastTimestamp"},
	}
	for _, namespace := range namespaces {
		logs := []string{"logs", "--namespace", namespace, "--selector", "app.kubernetes.io/name=ftpd", "--tail=-1", "--prefix"}
		files["daemons-"+namespace+".log"] = logs
		files["daemons-"+namespace+"-previous.log"] = append(slices.Clone(logs), "--previous")
	}
	for file, args := range files {
		command := exec.CommandContext(ctx, env.kubectl, append([]string{"--kubeconfig", env.kubeconfig}, args...)...)
		out, err := command.CombinedOutput()
		if err != nil {
			out = fmt.Appendf(out, "\n%v\n", err)
		}
		if err := os.WriteFile(filepath.Join(folder, file), out, 0o644); err != nil {
			AddReportEntry("diagnostics could not be written", err.Error())
		}
	}
	AddReportEntry("diagnostics", folder)
}

// relayPod returns a pod that runs the relay and satisfies the "restricted" standard.
func relayPod(name string, args ...string) *corev1.Pod {
	yes, no := true, false
	grace := int64(0)
	pod := &corev1.Pod{}
	pod.Name = name
	pod.Spec = corev1.PodSpec{
		TerminationGracePeriodSeconds: &grace,
		AutomountServiceAccountToken:  &no,
		EnableServiceLinks:            &no,
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot:   &yes,
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Containers: []corev1.Container{{
			Name:            "relay",
			Image:           env.relayImage,
			ImagePullPolicy: corev1.PullIfNotPresent,
			Command:         append([]string{"/relay"}, args...),
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: &no,
				ReadOnlyRootFilesystem:   &yes,
				Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			},
		}},
	}
	return pod
}
