package chart

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/labels"
)

func valuesFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(chartDir + "/ci/*-values.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d values files in %s/ci (%v), want some", len(files), chartDir, err)
	}
	return files
}

func TestLint(t *testing.T) {
	for _, file := range valuesFiles(t) {
		if _, all, err := helm(t, "lint", "--strict", chartDir, "-f", file); err != nil {
			t.Errorf("helm lint with %s: %v\n%s", filepath.Base(file), err, all)
		}
	}
}

// TestRenderings checks what must hold for all values.
func TestRenderings(t *testing.T) {
	for _, file := range valuesFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			all := template(t, "-f", file)
			strictly(t, all)
			seen := map[string]bool{}
			for _, u := range all {
				key := u.GetKind() + " " + u.GetNamespace() + "/" + u.GetName()
				if seen[key] {
					t.Errorf("%s is rendered twice", key)
				}
				seen[key] = true
				if got := u.GetLabels()["app.kubernetes.io/managed-by"]; got != "Helm" {
					t.Errorf("%s has no label managed-by: Helm but %q", key, got)
				}
				if clusterScoped[u.GetKind()] != (u.GetNamespace() == "") {
					t.Errorf("%s: namespace %q", key, u.GetNamespace())
				}
			}
			checkBindings(t, all)
			checkPods(t, all)
		})
	}
}

// checkBindings: the role and the account of every binding are rendered, too, unless the user supplies the account.
func checkBindings(t *testing.T, all objects) {
	t.Helper()
	account := decode[appsv1.Deployment](t, all.ofKind("Deployment")[0]).Spec.Template.Spec.ServiceAccountName
	check := func(kind, in, name string, subjects []rbacv1.Subject) {
		all.get(t, kind, in, name)
		if want := []rbacv1.Subject{{Kind: "ServiceAccount", Name: account, Namespace: namespace}}; !reflect.DeepEqual(subjects, want) {
			t.Errorf("%s %s/%s is bound to %v, want %v", kind, in, name, subjects, want)
		}
	}
	for _, u := range all.ofKind("RoleBinding") {
		b := decode[rbacv1.RoleBinding](t, u)
		check(b.RoleRef.Kind, b.Namespace, b.RoleRef.Name, b.Subjects)
	}
	for _, u := range all.ofKind("ClusterRoleBinding") {
		b := decode[rbacv1.ClusterRoleBinding](t, u)
		check(b.RoleRef.Kind, "", b.RoleRef.Name, b.Subjects)
	}
}

// checkPods: the operator's pods satisfy the restricted Pod Security Standard, and every selector matches them.
func checkPods(t *testing.T, all objects) {
	t.Helper()
	deployment := decode[appsv1.Deployment](t, all.ofKind("Deployment")[0])
	pod := deployment.Spec.Template
	if p := pod.Spec.SecurityContext; p == nil || p.RunAsNonRoot == nil || !*p.RunAsNonRoot ||
		p.SeccompProfile == nil || p.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		t.Errorf("the pod's security context is %+v, want runAsNonRoot and seccomp RuntimeDefault", p)
	}
	for _, c := range pod.Spec.Containers {
		s := c.SecurityContext
		if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation ||
			s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem ||
			s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) {
			t.Errorf("container %s: the security context is %+v, want it restricted", c.Name, s)
		}
		if c.LivenessProbe == nil || c.ReadinessProbe == nil {
			t.Errorf("container %s has no probes", c.Name)
		}
	}
	matches := func(what string, selector map[string]string) {
		for key, value := range selector {
			if pod.Labels[key] != value {
				t.Errorf("%s selects %s=%s, but the pods have %q", what, key, value, pod.Labels[key])
			}
		}
		if len(selector) == 0 {
			t.Errorf("%s selects everything", what)
		}
	}
	matches("the Deployment", deployment.Spec.Selector.MatchLabels)
	for _, u := range all.ofKind("Service") {
		matches("the Service", decode[corev1.Service](t, u).Spec.Selector)
	}
	for _, kind := range []string{"NetworkPolicy", "PodDisruptionBudget"} {
		for _, u := range all.ofKind(kind) {
			spec := u.Object["spec"].(map[string]any)
			selector, ok := spec["podSelector"].(map[string]any)
			if !ok {
				selector = spec["selector"].(map[string]any)
			}
			labels := map[string]string{}
			for key, value := range selector["matchLabels"].(map[string]any) {
				labels[key] = value.(string)
			}
			matches(kind, labels)
		}
	}
}

func TestCRDsAreThoseOfTheAPI(t *testing.T) {
	files, err := filepath.Glob("../../config/crd/bases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no CRDs: %v", err)
	}
	all := template(t)
	if got := len(all.ofKind("CustomResourceDefinition")); got != len(files) {
		t.Errorf("the chart has %d CRDs, the API %d", got, len(files))
	}
	for _, file := range files {
		want := read(t, "config", "crd", "bases", filepath.Base(file))[0]
		got := all.get(t, "CustomResourceDefinition", "", want.GetName())
		if !reflect.DeepEqual(decode[apiextensionsv1.CustomResourceDefinition](t, got).Spec, decode[apiextensionsv1.CustomResourceDefinition](t, want).Spec) {
			t.Errorf("the chart's CRD %s is not that of %s: run make generate", want.GetName(), file)
		}
		if got.GetAnnotations()["helm.sh/resource-policy"] != "keep" {
			t.Errorf("CRD %s would go with the release, and every FtpServer with it", want.GetName())
		}
	}
	for _, u := range template(t, "--set", "crds.keep=false").ofKind("CustomResourceDefinition") {
		if _, kept := u.GetAnnotations()["helm.sh/resource-policy"]; kept {
			t.Errorf("CRD %s is kept despite crds.keep=false", u.GetName())
		}
	}
	if crds := template(t, "--set", "crds.enabled=false").ofKind("CustomResourceDefinition"); len(crds) != 0 {
		t.Errorf("%d CRDs are rendered despite crds.enabled=false", len(crds))
	}
}

func clusterRules(t *testing.T) []rbacv1.PolicyRule {
	t.Helper()
	return decode[rbacv1.ClusterRole](t, read(t, "config", "rbac", "role.yaml").get(t, "ClusterRole", "", "manager-role")).Rules
}

func TestRulesAreThoseOfTheMarkers(t *testing.T) {
	all := template(t)
	got := decode[rbacv1.ClusterRole](t, all.get(t, "ClusterRole", "", fullname+"-manager")).Rules
	if want := clusterRules(t); !reflect.DeepEqual(got, want) {
		t.Errorf("the chart's rules differ from config/rbac/role.yaml (run make generate):\n%v\n%v", got, want)
	}
	election := decode[rbacv1.Role](t, read(t, "config", "rbac", "role.yaml").ofKind("Role")[0]).Rules
	if got := decode[rbacv1.Role](t, all.get(t, "Role", namespace, fullname+"-leader-election")).Rules; !reflect.DeepEqual(got, election) {
		t.Errorf("the chart's leader election rules are %v, want %v", got, election)
	}
}

// TestNamespaced: with watchNamespaces only the CRDs are cluster-wide, and each namespace has the same rules except
// those for cluster-wide resources.
func TestNamespaced(t *testing.T) {
	all := template(t, "--set", "watchNamespaces={team-a,team-b}")
	for _, kind := range []string{"ClusterRole", "ClusterRoleBinding"} {
		if found := all.ofKind(kind); len(found) != 0 {
			t.Errorf("namespaced mode has %d %ss", len(found), kind)
		}
	}
	var want []rbacv1.PolicyRule
	for _, rule := range clusterRules(t) {
		rule.Resources = slices.DeleteFunc(rule.Resources, func(resource string) bool {
			return slices.Contains([]string{"nodes", "storageclasses", "tokenreviews", "subjectaccessreviews"}, resource)
		})
		if len(rule.Resources) > 0 {
			want = append(want, rule)
		}
	}
	if len(want) == len(clusterRules(t)) {
		t.Error("no rule was about cluster-scoped things: is this test still right?")
	}
	for _, team := range []string{"team-a", "team-b"} {
		if got := decode[rbacv1.Role](t, all.get(t, "Role", team, fullname+"-manager")).Rules; !reflect.DeepEqual(got, want) {
			t.Errorf("the rules in %s are\n%v\nwant\n%v", team, got, want)
		}
		all.get(t, "RoleBinding", team, fullname+"-manager")
	}
	args := managerArgs(t, all)
	for _, arg := range []string{"--watch-namespaces=team-a,team-b", "--metrics-secure=false"} {
		if !slices.Contains(args, arg) {
			t.Errorf("the manager's arguments are %q, want %s among them", args, arg)
		}
	}
}

func managerArgs(t *testing.T, all objects) []string {
	t.Helper()
	return decode[appsv1.Deployment](t, all.ofKind("Deployment")[0]).Spec.Template.Spec.Containers[0].Args
}

// TestPolicy: restrictions of FtpServers reach the operator, even if they allow nothing at all, and there are none by
// default.
func TestPolicy(t *testing.T) {
	for set, want := range map[string][]string{
		"log.level=info": nil,
		"policy.allowedImages={registry.example.com/a:*,registry.example.com/b/*}": {"--allowed-images=registry.example.com/a:*,registry.example.com/b/*"},
		"policy.requireSecretLabel=false":                                          {"--require-secret-label=false"},
	} {
		checkPolicy(t, set, want, "--set", set)
	}
	checkPolicy(t, "empty lists", []string{"--allowed-images=", "--allowed-priority-classes="},
		"--set-json", "policy.allowedImages=[]", "--set-json", "policy.allowedPriorityClasses=[]")
}

func checkPolicy(t *testing.T, what string, want []string, args ...string) {
	t.Helper()
	var got []string
	for _, arg := range managerArgs(t, template(t, args...)) {
		if strings.HasPrefix(arg, "--allowed-") || strings.HasPrefix(arg, "--require-") {
			got = append(got, arg)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: the operator is told %q, want %q", what, got, want)
	}
}

// TestPodLabels: the operator gets the labels of its own pods, since the FTP servers' NetworkPolicies admit pods with
// those labels.
func TestPodLabels(t *testing.T) {
	for what, all := range map[string]objects{
		"chart":         template(t),
		"chart renamed": template(t, "--set", "nameOverride=x"),
		"kustomize":     kustomize(t, "default"),
	} {
		deployment := decode[appsv1.Deployment](t, all.ofKind("Deployment")[0])
		told := map[string]string{}
		for _, arg := range deployment.Spec.Template.Spec.Containers[0].Args {
			if text, found := strings.CutPrefix(arg, "--pod-labels="); found {
				var err error
				if told, err = labels.ConvertSelectorToLabelsMap(text); err != nil {
					t.Errorf("%s: %s: %v", what, arg, err)
				}
			}
		}
		if len(told) == 0 || !labels.SelectorFromSet(told).Matches(labels.Set(deployment.Spec.Template.Labels)) {
			t.Errorf("%s: the operator is told %v, its pods have %v", what, told, deployment.Spec.Template.Labels)
		}
	}
}

func TestImages(t *testing.T) {
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, c := range []struct {
		name        string
		set         string
		image, ftpd string
	}{
		{"defaults", "image.tag=", "localhost/ftp-operator:0.1.0", "localhost/ftp-operator:0.1.0"},
		{"tag", "image.repository=a:5000/b,image.tag=dev", "a:5000/b:dev", "a:5000/b:dev"},
		{"digest", "image.repository=a.example/b,image.tag=dev,image.digest=" + digest, "a.example/b@" + digest, "a.example/b@" + digest},
		{"own image of the daemon", "image.tag=v1,ftpdImage=a.example/ftpd:2", "localhost/ftp-operator:v1", "a.example/ftpd:2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := template(t, "--set", c.set)
			container := decode[appsv1.Deployment](t, all.ofKind("Deployment")[0]).Spec.Template.Spec.Containers[0]
			if container.Image != c.image || !slices.Contains(container.Args, "--ftpd-image="+c.ftpd) {
				t.Errorf("image %s, arguments %q; want %s and --ftpd-image=%s", container.Image, container.Args, c.image, c.ftpd)
			}
		})
	}
}

// TestUserRoles: users with view, edit or admin in a namespace have the same rights for FtpServers.
func TestUserRoles(t *testing.T) {
	all := template(t)
	for role, writes := range map[string]bool{"view": false, "edit": true, "admin": true} {
		r := decode[rbacv1.ClusterRole](t, all.get(t, "ClusterRole", "", fullname+"-ftpserver-"+role))
		if r.Labels["rbac.authorization.k8s.io/aggregate-to-"+role] != "true" {
			t.Errorf("role %s is not aggregated: labels %v", role, r.Labels)
		}
		for _, rule := range r.Rules {
			for _, verb := range rule.Verbs {
				reads := verb == "get" || verb == "list" || verb == "watch"
				if !reads && (!writes || slices.Contains(rule.Resources, "ftpservers/status")) {
					t.Errorf("role %s may %s %v", role, verb, rule.Resources)
				}
			}
		}
		if got := slices.Contains(r.Rules[0].Verbs, "create"); got != writes {
			t.Errorf("role %s: may create is %v, want %v", role, got, writes)
		}
	}
}

func TestSchemaRefusals(t *testing.T) {
	for _, c := range []struct{ set, message string }{
		{"replica=2", "replica"},
		{"image.tagg=x", "tagg"},
		{"image.repository=a/b:tag", "/image/repository"},
		{"image.repository=", "/image/repository"},
		{"image.digest=sha256:12", "/image/digest"},
		{"image.pullPolicy=Sometimes", "/image/pullPolicy"},
		{"replicas=many", "/replicas"},
		{"replicas=-1", "/replicas"},
		{"watchNamespaces={Team_A}", "/watchNamespaces/0"},
		{"class=A_B", "/class"},
		{"nodePortRange.start=0", "/nodePortRange/start"},
		{"nodePortRange.end=70000", "/nodePortRange/end"},
		{"policy.allowedImages={a b}", "/policy/allowedImages/0"},
		{"policy.allowedPriorityClasses={Low}", "/policy/allowedPriorityClasses/0"},
		{"policy.requireSecretLabel=perhaps", "/policy/requireSecretLabel"},
		{"metrics.port=80", "/metrics/port"},
		{"metrics.serviceMonitor.interval=often", "/metrics/serviceMonitor/interval"},
		{"log.level=loud", "/log/level"},
		{"crds.keep=perhaps", "/crds/keep"},
		{"serviceAccount.create=false", "serviceAccount.name is required"},
		{"nodePortRange.start=32000,nodePortRange.end=31000", "nodePortRange.start is above nodePortRange.end"},
	} {
		_, all, err := helm(t, "template", release, chartDir, "--set", c.set)
		if err == nil {
			t.Errorf("--set %s is accepted", c.set)
		} else if !strings.Contains(all, c.message) {
			t.Errorf("--set %s is refused without naming %q:\n%s", c.set, c.message, all)
		}
	}
}

// TestNotes: the notes contain commands that work with this release.
func TestNotes(t *testing.T) {
	notes := func(set string) string {
		_, all, err := helm(t, "install", release, chartDir, "--namespace", namespace, "--dry-run=client", "--set", set)
		if err != nil {
			t.Fatalf("helm install --dry-run=client --set %s: %v\n%s", set, err, all)
		}
		_, text, found := strings.Cut(all, "NOTES:")
		if !found {
			t.Fatalf("helm shows no notes:\n%s", all)
		}
		return text
	}
	text := notes("replicas=1")
	for _, want := range []string{"kubectl -n default wait --for=condition=Ready ftpserver/files", "kubectl -n ops logs deployment/" + fullname, "no node can pull"} {
		if !strings.Contains(text, want) {
			t.Errorf("the notes don't hold %q:\n%s", want, text)
		}
	}
	text = notes("watchNamespaces={team-a},image.repository=registry.example.com/x")
	if !strings.Contains(text, "kubectl -n team-a apply") || strings.Contains(text, "no node can pull") {
		t.Errorf("the notes of a namespaced release with an image of its own:\n%s", text)
	}
	_, manifest, found := strings.Cut(text, "<<'EOF'\n")
	manifest, _, ended := strings.Cut(manifest, "\nEOF\n")
	if !found || !ended {
		t.Fatalf("the notes hold no here document that a shell would end:\n%s", text)
	}
	if u := parse(t, manifest); len(u) != 1 || u[0].GetKind() != "FtpServer" {
		t.Errorf("the manifest in the notes is no FtpServer:\n%s", manifest)
	}
}
