package servermetrics

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

func TestServerMetrics(t *testing.T) {
	files := &v1alpha1.FtpServer{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "files"}}
	files.Status = v1alpha1.FtpServerStatus{
		Conditions:   []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}},
		PassiveRange: "30000-30009", Replicas: 3, ReadyReplicas: 2,
		Pods: []v1alpha1.PodStatus{{Name: "x", PassivePorts: "30000-30003"}, {Name: "y", PassivePorts: "30005"}, {Name: "z"}},
	}
	fresh := &v1alpha1.FtpServer{ObjectMeta: metav1.ObjectMeta{Namespace: "b", Name: "fresh"}}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	reader := fake.NewClientBuilder().WithScheme(scheme).WithObjects(files, fresh).Build()
	want := `
# HELP ftp_operator_server_passive_ports Passive ports in the range that is in use.
# TYPE ftp_operator_server_passive_ports gauge
ftp_operator_server_passive_ports{name="files",namespace="a"} 10
ftp_operator_server_passive_ports{name="fresh",namespace="b"} 0
# HELP ftp_operator_server_passive_ports_free Passive ports of that range that no pod holds. A new pod needs some.
# TYPE ftp_operator_server_passive_ports_free gauge
ftp_operator_server_passive_ports_free{name="files",namespace="a"} 5
ftp_operator_server_passive_ports_free{name="fresh",namespace="b"} 0
# HELP ftp_operator_server_ready Whether the FtpServer is Ready (1).
# TYPE ftp_operator_server_ready gauge
ftp_operator_server_ready{name="files",namespace="a"} 1
ftp_operator_server_ready{name="fresh",namespace="b"} 0
# HELP ftp_operator_server_replicas_ready Pods that are ready.
# TYPE ftp_operator_server_replicas_ready gauge
ftp_operator_server_replicas_ready{name="files",namespace="a"} 2
ftp_operator_server_replicas_ready{name="fresh",namespace="b"} 0
`
	c := serverMetrics{reader: reader}
	if err := testutil.CollectAndCompare(c, strings.NewReader(want), "ftp_operator_server_passive_ports",
		"ftp_operator_server_passive_ports_free", "ftp_operator_server_ready", "ftp_operator_server_replicas_ready"); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.CollectAndLint(c); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}

	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	families, err := testutil.CollectAndFormat(c, expfmt.TypeTextPlain)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(families)) {
		if help, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, text, _ := strings.Cut(strings.TrimSpace(help), " ")
			if row := "| `" + name + "` | gauge | `name`; `namespace` | " + text + " |\n"; !strings.Contains(string(page), row) {
				t.Errorf("docs/metrics.md lacks %s", row)
			}
		}
	}

	broken := interceptor.NewClient(reader, interceptor.Funcs{List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
		return errors.New("no cache")
	}})
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(serverMetrics{reader: broken})
	if _, err := registry.Gather(); err == nil || !strings.Contains(err.Error(), "no cache") {
		t.Errorf("a failure is not told: %v", err)
	}
}

// TestMetricsComeAndGo: metrics are exported while the process leads, and again if it leads again.
func TestMetricsComeAndGo(t *testing.T) {
	registry := prometheus.NewRegistry()
	reader := fake.NewClientBuilder().Build()
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- Export(reader, registry, "").Start(ctx) }()
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	if registry.Unregister(serverMetrics{reader: reader}) {
		t.Error("metrics are left")
	}
}
