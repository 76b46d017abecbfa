package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"
)

// The whole program, with exactly the permissions of config/rbac/role.yaml, runs against a real API server. It must
// take the leader's lease, answer its probes, and show metrics only to accounts that may read them.
func TestRun(t *testing.T) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS must name the directory with etcd and kube-apiserver: run `make test`, which sets it")
	}
	ctx := t.Context()
	env := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	config, err := env.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	admin, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	create := func(objects ...client.Object) {
		t.Helper()
		for _, o := range objects {
			if err := admin.Create(ctx, o); err != nil {
				t.Fatal(err)
			}
		}
	}
	const namespace = "ftp-operator-system"
	create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	role, leaseRole := &rbacv1.ClusterRole{}, &rbacv1.Role{}
	text, err := os.ReadFile(filepath.Join("..", "..", "config", "rbac", "role.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	documents := strings.SplitN(strings.TrimPrefix(string(text), "---\n"), "\n---\n", 2)
	if len(documents) != 2 {
		t.Fatalf("role.yaml holds %d documents, not a ClusterRole and a Role", len(documents))
	}
	for i, into := range []any{role, leaseRole} {
		if err := yaml.UnmarshalStrict([]byte(documents[i]), into); err != nil {
			t.Fatal(err)
		}
	}
	operator := []rbacv1.Subject{{Kind: "User", Name: "operator"}}
	create(role, leaseRole,
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "operator"}, Subjects: operator,
			RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: role.Name},
		},
		&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "operator", Namespace: namespace}, Subjects: operator,
			RoleRef: rbacv1.RoleRef{Kind: "Role", Name: leaseRole.Name},
		},
		&rbacv1.ClusterRole{
			ObjectMeta: metav1.ObjectMeta{Name: "metrics"},
			Rules:      []rbacv1.PolicyRule{{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}},
		},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "scraper", Namespace: namespace}},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "stranger", Namespace: namespace}},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "metrics"},
			Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: namespace, Name: "scraper"}},
			RoleRef:    rbacv1.RoleRef{Kind: "ClusterRole", Name: "metrics"},
		})

	user, err := env.AddUser(envtest.User{Name: "operator"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", path)

	probes, metrics := freeAddress(t), freeAddress(t)
	running, stop := context.WithCancel(ctx)
	// The logger is global to the process; this test's own client uses it too.
	o, err := prepare([]string{
		"--ftpd-image=x", "--leader-elect", "--leader-elect-namespace=" + namespace,
		"--health-probe-bind-address=" + probes, "--metrics-bind-address=" + metrics, "--log-level=error",
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- serve(running, o) }()

	eventually(t, ended, "the lease is taken", func() error {
		lease := &coordinationv1.Lease{}
		if err := admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: leaseName}, lease); err != nil {
			return err
		}
		if lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "" {
			return errors.New("nobody holds it")
		}
		return nil
	})
	for _, probe := range []string{"/healthz", "/readyz"} {
		eventually(t, ended, probe, func() error { return get(t, "http://"+probes+probe, "", http.StatusOK) })
	}
	for account, want := range map[string]int{"": http.StatusUnauthorized, "stranger": http.StatusForbidden, "scraper": http.StatusOK} {
		token := ""
		if account != "" {
			request := &authenticationv1.TokenRequest{}
			sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: account, Namespace: namespace}}
			if err := admin.SubResource("token").Create(ctx, sa, request); err != nil {
				t.Fatal(err)
			}
			token = request.Status.Token
		}
		eventually(t, ended, "metrics for "+account, func() error { return get(t, "https://"+metrics+"/metrics", token, want) })
	}

	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(5 * time.Minute):
		t.Fatal("it does not end")
	}
}

// get returns an error unless the answer has the status code want.
func get(t *testing.T, url, token string, want int) error {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // self-signed, on loopback
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode != want {
		return fmt.Errorf("%s answers %s, want %d", url, response.Status, want)
	}
	return nil
}

func eventually(t *testing.T, ended chan error, what string, check func() error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 5*time.Minute, true, func(context.Context) (bool, error) {
		select {
		case err := <-ended:
			return false, fmt.Errorf("the manager ended: %w", err)
		default:
		}
		last = check()
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("%s: %v; %v", what, err, last)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
