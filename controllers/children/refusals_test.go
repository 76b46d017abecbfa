package children

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestProblemOf(t *testing.T) {
	gr := schema.GroupResource{Resource: "services"}
	gk := schema.GroupKind{Kind: "Service"}
	c := func(kind string) *Child {
		return &Child{Kind: kind, Object: &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "files"}}}
	}
	invalid := func(detail string) error {
		return apierrors.NewInvalid(gk, "files", field.ErrorList{field.Invalid(field.NewPath("spec"), "s3cr3t", detail)})
	}
	tests := []struct {
		name  string
		kind  string
		err   error
		parts []string // parts of the problem's message; none: an error, to be retried
	}{
		{"node port taken", KindService, invalid("provided port is already allocated"), []string{"another Service has that node port"}},
		{"node port outside", KindService, invalid("provided port is not in the valid range. The range of valid ports is 30000-32767"), []string{"30000-32767", "within the cluster's node port range"}},
		{"quota", KindService, apierrors.NewForbidden(gr, "files", errors.New("exceeded quota: q")), []string{"exceeded quota", "raise the namespace's ResourceQuota"}},
		{"role", KindService, apierrors.NewForbidden(gr, "files", errors.New(`User "system:serviceaccount:x:y" cannot patch`)), []string{"lacks a permission"}},
		{"shrinking claim", KindClaim, apierrors.NewForbidden(gr, "files", errors.New("field can not be less than previous value")), []string{"only upwards"}},
		{"immutable", KindDeployment, invalid("field is immutable"), []string{"set it back"}},
		{"admission", KindService, apierrors.NewBadRequest("admission webhook denied: no"), []string{"denied: no", "tried again every minute"}},
		{"no node port left", KindService, apierrors.NewInternalError(errors.New("failed to allocate a nodePort: range is full")),
			[]string{"no free node port left", "--service-node-port-range"}},
		{"a health check's node port that is taken", KindService, &apierrors.StatusError{ErrStatus: metav1.Status{Code: 500,
			Message: "failed to allocate requested HealthCheck NodePort 30000: provided port is already allocated"}},
			[]string{"another Service has that node port"}},
		{"no cluster IP left", KindService, apierrors.NewInternalError(errors.New(`failed to allocate a serviceIP for Service "files": range is full`)),
			[]string{"no free cluster IP left", "ServiceCIDR"}},
		{"server error", KindService, apierrors.NewInternalError(errors.New("boom")), nil},
		{"throttled", KindService, apierrors.NewTooManyRequests("slow down", 1), nil},
		{"conflict", KindService, apierrors.NewConflict(gr, "files", errors.New("changed")), nil},
		{"network", KindService, errors.New("connection refused"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			problem, err := problemOf(c(tt.kind), tt.err)
			if (problem == nil) != (tt.parts == nil) || (err == nil) != (tt.parts != nil) {
				t.Fatalf("problem %v, error %v", problem, err)
			}
			if err != nil && !errors.Is(err, tt.err) {
				t.Errorf("error %v hides its cause", err)
			}
			for _, part := range tt.parts {
				if !strings.Contains(problem.Message, part) {
					t.Errorf("%q lacks %q", problem.Message, part)
				}
			}
		})
	}
	var changed *ChangedError
	uid := apierrors.NewInvalid(gk, "files", field.ErrorList{field.Invalid(field.NewPath("metadata", "uid"), "x", "field is immutable")})
	if problem, err := problemOf(c(KindService), uid); problem != nil || !errors.As(err, &changed) {
		t.Errorf("another UID: %v, %v", problem, err)
	}
	if problem, _ := problemOf(c(KindSecret), invalid("bad")); strings.Contains(problem.Message, "s3cr3t") || !strings.Contains(problem.Message, "spec: FieldValueInvalid") {
		t.Errorf("a Secret's problem is %q", problem.Message)
	}
}
