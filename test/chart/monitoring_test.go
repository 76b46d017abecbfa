package chart

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
)

const (
	alertsFile    = chartDir + "/files/alerts.yaml"
	dashboardFile = chartDir + "/files/dashboard.json"
)

// promtool runs Prometheus' own checker.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "promtool", args...).CombinedOutput()
	if err != nil {
		t.Errorf("promtool %s (hack/deps.sh chart installs it): %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestAlerts(t *testing.T) {
	promtool(t, "check", "rules", alertsFile)
	promtool(t, "test", "rules", "testdata/alerts_test.yaml")

	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert               string
				Labels, Annotations map[string]string
			}
		}
	}
	text := file(t, alertsFile)
	if err := yaml.Unmarshal(text, &rules); err != nil {
		t.Fatal(err)
	}
	tests := string(file(t, "testdata/alerts_test.yaml"))
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if r.Annotations["summary"] == "" || r.Annotations["description"] == "" || r.Labels["severity"] == "" {
				t.Errorf("%s lacks a summary, description or severity", r.Alert)
			}
			if !strings.Contains(tests, "alertname: "+r.Alert+"\n    exp_alerts:") {
				t.Errorf("no test has %s fire", r.Alert)
			}
			if !strings.Contains(tests, "alertname: "+r.Alert+"}") {
				t.Errorf("no test has %s be quiet", r.Alert)
			}
		}
	}
	checkMetricNames(t, alertsFile, string(text))
}

func file(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name) //nolint:gosec // of the repository
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// checkMetricNames: every metric in a text is described in docs/metrics.md.
func checkMetricNames(t *testing.T, where, text string) {
	t.Helper()
	documented := string(file(t, "../../docs/metrics.md"))
	for _, name := range regexp.MustCompile(`\bftp_[a-z0-9_]+`).FindAllString(text, -1) {
		name = strings.TrimSuffix(name, "_bucket")
		if !strings.Contains(documented, "`"+name+"`") {
			t.Errorf("%s asks for %s, which is not in docs/metrics.md", where, name)
		}
	}
}

func TestDashboard(t *testing.T) {
	type grid struct{ H, W, X, Y int }
	var dashboard struct {
		UID, Title string
		Panels     []struct {
			ID          int
			Type, Title string
			GridPos     grid
			Datasource  struct{ UID string }
			Targets     []struct{ Expr string }
		}
	}
	text := file(t, dashboardFile)
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	if dashboard.UID == "" || dashboard.Title == "" {
		t.Error("the dashboard has no name")
	}
	overlap := func(a, b grid) bool {
		return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
	}
	for i, p := range dashboard.Panels {
		if p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %q is beyond the edge", p.Title)
		}
		for _, q := range dashboard.Panels[:i] {
			if p.ID == q.ID || overlap(p.GridPos, q.GridPos) {
				t.Errorf("panels %q and %q are in one place, or have one id", p.Title, q.Title)
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
			t.Errorf("panel %q shows nothing, or is bound to a data source", p.Title)
		}
		for _, target := range p.Targets {
			if !strings.Contains(target.Expr, `=~"$ftpserver"`) {
				t.Errorf("panel %q does not heed the choice of a server: %s", p.Title, target.Expr)
			}
		}
	}
	checkMetricNames(t, dashboardFile, string(text))
}

// The dashboard's queries are valid PromQL: promtool checks them as rules.
func TestDashboardQueries(t *testing.T) {
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var rules []rule
	var dashboard any
	if err := json.Unmarshal(file(t, dashboardFile), &dashboard); err != nil {
		t.Fatal(err)
	}
	var collect func(any)
	collect = func(node any) {
		switch n := node.(type) {
		case map[string]any:
			if expr, ok := n["expr"].(string); ok {
				rules = append(rules, rule{"query", strings.ReplaceAll(expr, "$__rate_interval", "5m")})
			}
			for _, child := range n {
				collect(child)
			}
		case []any:
			for _, child := range n {
				collect(child)
			}
		}
	}
	collect(dashboard)
	if len(rules) < 20 {
		t.Fatalf("%d queries", len(rules))
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "queries.yaml")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", "--lint=none", name)
}

// TestMonitoringObjects tests the objects that the chart makes of the alerts and the dashboard, and that its
// PodMonitor selects the pods that the operator creates.
func TestMonitoringObjects(t *testing.T) {
	all := template(t, "--set", "metrics.podMonitor.enabled=true,metrics.prometheusRule.enabled=true,metrics.dashboard.enabled=true")
	var want map[string]any
	if err := yaml.Unmarshal(file(t, alertsFile), &want); err != nil {
		t.Fatal(err)
	}
	if got := all.get(t, "PrometheusRule", namespace, fullname).Object["spec"]; !reflect.DeepEqual(got, want) {
		t.Errorf("the PrometheusRule is not %s", alertsFile)
	}
	shown := decode[corev1.ConfigMap](t, all.get(t, "ConfigMap", namespace, fullname+"-dashboard"))
	if strings.TrimSpace(shown.Data["ftp-servers.json"]) != strings.TrimSpace(string(file(t, dashboardFile))) {
		t.Errorf("the ConfigMap is not %s", dashboardFile)
	}
	if shown.Labels["grafana_dashboard"] != "1" {
		t.Errorf("the ConfigMap's labels are %v: Grafana's sidecar does not see it", shown.Labels)
	}

	monitor := all.get(t, "PodMonitor", namespace, fullname+"-servers")
	var spec struct {
		NamespaceSelector struct {
			Any        bool
			MatchNames []string
		}
		Selector            metav1.LabelSelector
		PodMetricsEndpoints []struct{ Port, Path string }
	}
	decodeSpec(t, monitor, &spec)
	server := &v1alpha1.FtpServer{ObjectMeta: metav1.ObjectMeta{Name: "files"}}
	selector, err := metav1.LabelSelectorAsSelector(&spec.Selector)
	if err != nil || !selector.Matches(labels.Set(resources.Labels(server))) {
		t.Errorf("the PodMonitor selects %v (%v), which pods are not: %v", selector, err, resources.Labels(server))
	}
	if e := spec.PodMetricsEndpoints; len(e) != 1 || e[0].Port != resources.AdminPortName || e[0].Path != "/metrics" || !spec.NamespaceSelector.Any {
		t.Errorf("the PodMonitor asks %+v", spec)
	}

	some := template(t, "--set", "metrics.podMonitor.enabled=true,watchNamespaces={team-a}")
	decodeSpec(t, some.get(t, "PodMonitor", namespace, fullname+"-servers"), &spec)
	if !reflect.DeepEqual(spec.NamespaceSelector.MatchNames, []string{"team-a"}) {
		t.Errorf("the PodMonitor looks into %+v", spec.NamespaceSelector)
	}
	for _, kind := range []string{"PodMonitor", "PrometheusRule", "ConfigMap"} {
		if n := len(template(t).ofKind(kind)); n != 0 {
			t.Errorf("%d objects %s are made without being asked for", n, kind)
		}
	}
}

// decodeSpec decodes an object's spec.
func decodeSpec(t *testing.T, u unstructured.Unstructured, spec any) {
	t.Helper()
	text, err := json.Marshal(u.Object["spec"])
	if err == nil {
		err = json.Unmarshal(text, spec)
	}
	if err != nil {
		t.Fatal(err)
	}
}
