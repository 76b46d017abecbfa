package chart

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

// kustomize renders a directory below config/ with kubectl.
func kustomize(t *testing.T, dir string) objects {
	t.Helper()
	command := exec.CommandContext(t.Context(), filepath.Join(assets(t), "kubectl"), "kustomize", "../../config/"+dir)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("kubectl kustomize config/%s: %v", dir, err)
	}
	return parse(t, string(out))
}

// assets returns the directory with etcd, kube-apiserver and kubectl.
func assets(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("KUBEBUILDER_ASSETS")
	if dir == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: it names the folder that holds etcd, kube-apiserver and kubectl; `make test` builds them and sets it")
	}
	return dir
}

func TestKustomizeDefault(t *testing.T) {
	const in, prefix = "ftp-operator-system", "ftp-operator-"
	all := kustomize(t, "default")
	strictly(t, all)
	for _, u := range all {
		want := in
		if clusterScoped[u.GetKind()] {
			want = ""
		}
		if u.GetNamespace() != want {
			t.Errorf("%s %s: namespace %q, want %q", u.GetKind(), u.GetName(), u.GetNamespace(), want)
		}
	}
	checkPods(t, all)

	manager := decode[appsv1.Deployment](t, all.get(t, "Deployment", in, prefix+"controller-manager")).Spec.Template.Spec
	container := manager.Containers[0]
	for _, env := range container.Env {
		if env.Name == "FTPD_IMAGE" && env.Value != container.Image {
			t.Errorf("FTPD_IMAGE is %s, the operator's image %s: want one image", env.Value, container.Image)
		}
	}

	account := []rbacv1.Subject{{Kind: "ServiceAccount", Name: manager.ServiceAccountName, Namespace: in}}
	all.get(t, "ServiceAccount", in, manager.ServiceAccountName)
	cluster := decode[rbacv1.ClusterRoleBinding](t, all.get(t, "ClusterRoleBinding", "", prefix+"manager-rolebinding"))
	if !reflect.DeepEqual(cluster.Subjects, account) {
		t.Errorf("the manager's role is bound to %v, want %v", cluster.Subjects, account)
	}
	if got := decode[rbacv1.ClusterRole](t, all.get(t, "ClusterRole", "", cluster.RoleRef.Name)).Rules; !reflect.DeepEqual(got, clusterRules(t)) {
		t.Errorf("the manager's rules are not those of role.yaml: %v", got)
	}
	election := decode[rbacv1.RoleBinding](t, all.get(t, "RoleBinding", in, prefix+"manager-rolebinding"))
	if !reflect.DeepEqual(election.Subjects, account) {
		t.Errorf("the leader election role is bound to %v, want %v", election.Subjects, account)
	}
	all.get(t, "Role", in, election.RoleRef.Name)
}

func TestKustomizeParts(t *testing.T) {
	strictly(t, kustomize(t, "network-policy"))
	if all := kustomize(t, "prometheus"); len(all.ofKind("ServiceMonitor")) != 1 {
		t.Errorf("config/prometheus renders %d objects, want a ServiceMonitor", len(all))
	}
	if all := kustomize(t, "samples"); len(all.ofKind("FtpServer")) < 6 {
		t.Errorf("config/samples renders %d FtpServers, want all", len(all.ofKind("FtpServer")))
	}
}

// TestUserRolesAreTheSame: the chart and kustomize grant users the same rights.
func TestUserRolesAreTheSame(t *testing.T) {
	chart, tree := template(t), kustomize(t, "default")
	for _, role := range []string{"view", "edit"} {
		got := decode[rbacv1.ClusterRole](t, chart.get(t, "ClusterRole", "", fullname+"-ftpserver-"+role)).Rules
		want := decode[rbacv1.ClusterRole](t, tree.get(t, "ClusterRole", "", "ftp-operator-ftpserver-"+role)).Rules
		if !reflect.DeepEqual(got, want) {
			t.Errorf("role %s: the chart allows %v, config/rbac %v", role, got, want)
		}
	}
}
