package controllers

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/status"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

func TestFreshness(t *testing.T) {
	f := newFreshness(testclock.NewFakePassiveClock(time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)))
	pod := func(version string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "p", ResourceVersion: version}}
	}
	if f.stale("Pod", pod("5")) {
		t.Error("stale though never written")
	}
	f.wrote("Pod", pod("100"))
	for _, step := range []struct {
		version string
		stale   bool
	}{{"99", true}, {"5", true}, {"101", true}, {"not-a-number", true}, {"100", false}, {"5", false} /* caught up: nothing is remembered */} {
		if got := f.stale("Pod", pod(step.version)); got != step.stale {
			t.Errorf("version %s: stale is %v", step.version, got)
		}
	}
	// The order of versions does not count: another client wrote after us, or a backup was restored.
	f.wrote("Pod", pod("100"))
	for _, answered := range []string{"300", "7"} {
		if !f.stale("Pod", pod("200")) {
			t.Error("another version than was written or read is fresh")
		}
		f.read("Pod", pod(answered))
	}
	if f.stale("Pod", pod("7")) || f.stale("Pod", pod("200")) {
		t.Error("stale though the cache came to what was read")
	}
	f.read("Pod", pod("8"))
	if f.stale("Pod", pod("9")) {
		t.Error("a read alone is remembered")
	}
	f.wrote("Pod", pod("100"))
	if f.stale("Service", pod("5")) {
		t.Error("another kind is stale")
	}
	f.forget("Pod", types.NamespacedName{Namespace: "a", Name: "p"})
	if f.stale("Pod", pod("5")) {
		t.Error("stale though forgotten")
	}
}

func TestProgress(t *testing.T) {
	now := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	p := newProgress()
	seen := status.Observed{ConfigHash: "new", Pods: []status.Pod{{Name: "a", Running: true, Daemon: &config.Status{ConfigHash: "old"}}}}
	at := func(seconds int) time.Duration { return p.next("u", seen, now.Add(time.Duration(seconds)*time.Second)) }

	if got := at(0); got != time.Second {
		t.Errorf("first look after %s", got)
	}
	if p.touch("u", "a") != "" {
		t.Error("touched at once")
	}
	if got := at(5); got > time.Second || p.touch("u", "a") != "new.1" {
		t.Errorf("after 5 s: wait %s, touch %q", got, p.touch("u", "a"))
	}
	at(14)
	if p.touch("u", "a") != "new.1" {
		t.Error("touched again too soon")
	}
	at(15)
	if p.touch("u", "a") != "new.2" {
		t.Errorf("after 15 s: touch %q", p.touch("u", "a"))
	}
	if got := at(100); got > slow {
		t.Errorf("late: %s", got)
	}
	at(101)
	if got := at(102); got < 20*time.Second || got > slow {
		t.Errorf("does not back off: %s", got)
	}
	seen.ConfigHash = "newer"
	if got := at(103); got != time.Second || p.touch("u", "a") != "" {
		t.Errorf("a newer configuration: wait %s, touch %q", got, p.touch("u", "a"))
	}
	seen.Pods[0].Daemon.ConfigHash = "newer"
	if got := at(104); got != slow || p.touch("u", "a") != "" {
		t.Errorf("loaded: wait %s, touch %q", got, p.touch("u", "a"))
	}
	seen.Pods[0].Daemon = nil
	if got := at(105); got != recheck {
		t.Errorf("out of reach: wait %s", got)
	}
	if len(p.pods) != 0 {
		t.Error("something is remembered of a server that rests")
	}
}

func TestPassword(t *testing.T) {
	hash, err := passhash.Hash("x")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		value, want string
		missing     bool
		problem     string
	}{
		{"secret", "secret", false, ""},
		{"secret\r\n", "secret", false, ""},
		{" blanks stay ", " blanks stay ", false, ""},
		{hash + "\n", hash, false, ""},
		{"$5 bill", "$5 bill", false, ""},
		{"", "", true, "is empty"},
		{"\n\n", "", true, "is empty"},
		{"a\nb", "", false, "several lines"},
		{"a\x00b", "", false, "NUL"},
		{"$argon2id$v=19$nonsense", "", false, "begins like a hash"},
		{"$6$salt$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO", "", false, "a kind that is not supported"},
		{"{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n", "", false, "a kind that is not supported"},
		{"caf\xe9", "", false, "not valid UTF-8"},
	}
	for _, tt := range tests {
		got, hashed, problem := password(map[string][]byte{"password": []byte(tt.value)}, "password")
		switch {
		case problem == nil:
			if tt.problem != "" || tt.missing || got != tt.want || hashed != (tt.want == hash) {
				t.Errorf("%q gives %q", tt.value, got)
			}
		case !strings.Contains(problem.Message, tt.problem) || problem.Missing != tt.missing || tt.problem == "":
			t.Errorf("%q gives problem %+v", tt.value, problem)
		case tt.value != "" && strings.Contains(problem.Message, tt.value):
			t.Errorf("the problem of %q shows it: %s", tt.value, problem.Message)
		}
	}
	if _, _, problem := password(nil, "password"); problem == nil || !problem.Missing {
		t.Errorf("no key: %+v", problem)
	}
}

func TestProblemOf(t *testing.T) {
	gr := schema.GroupResource{Resource: "services"}
	gk := schema.GroupKind{Kind: "Service"}
	c := func(kind string) *child {
		return &child{kind: kind, object: &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "files"}}}
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
		{"node port taken", kindService, invalid("provided port is already allocated"), []string{"another Service has that node port"}},
		{"node port outside", kindService, invalid("provided port is not in the valid range. The range of valid ports is 30000-32767"), []string{"30000-32767", "within the cluster's node port range"}},
		{"quota", kindService, apierrors.NewForbidden(gr, "files", errors.New("exceeded quota: q")), []string{"exceeded quota", "raise the namespace's ResourceQuota"}},
		{"role", kindService, apierrors.NewForbidden(gr, "files", errors.New(`User "system:serviceaccount:x:y" cannot patch`)), []string{"lacks a permission"}},
		{"shrinking claim", kindClaim, apierrors.NewForbidden(gr, "files", errors.New("field can not be less than previous value")), []string{"only upwards"}},
		{"immutable", kindDeployment, invalid("field is immutable"), []string{"set it back"}},
		{"admission", kindService, apierrors.NewBadRequest("admission webhook denied: no"), []string{"denied: no", "tried again every minute"}},
		{"no node port left", kindService, apierrors.NewInternalError(errors.New("failed to allocate a nodePort: range is full")),
			[]string{"no free node port left", "--service-node-port-range"}},
		{"a health check's node port that is taken", kindService, &apierrors.StatusError{ErrStatus: metav1.Status{Code: 500,
			Message: "failed to allocate requested HealthCheck NodePort 30000: provided port is already allocated"}},
			[]string{"another Service has that node port"}},
		{"no cluster IP left", kindService, apierrors.NewInternalError(errors.New(`failed to allocate a serviceIP for Service "files": range is full`)),
			[]string{"no free cluster IP left", "ServiceCIDR"}},
		{"server error", kindService, apierrors.NewInternalError(errors.New("boom")), nil},
		{"throttled", kindService, apierrors.NewTooManyRequests("slow down", 1), nil},
		{"conflict", kindService, apierrors.NewConflict(gr, "files", errors.New("changed")), nil},
		{"network", kindService, errors.New("connection refused"), nil},
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
	var changed *changedError
	uid := apierrors.NewInvalid(gk, "files", field.ErrorList{field.Invalid(field.NewPath("metadata", "uid"), "x", "field is immutable")})
	if problem, err := problemOf(c(kindService), uid); problem != nil || !errors.As(err, &changed) {
		t.Errorf("another UID: %v, %v", problem, err)
	}
	if problem, _ := problemOf(c(kindSecret), invalid("bad")); strings.Contains(problem.Message, "s3cr3t") || !strings.Contains(problem.Message, "spec: FieldValueInvalid") {
		t.Errorf("a Secret's problem is %q", problem.Message)
	}
}

func TestHTTPDaemons(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ask := func(handler http.HandlerFunc) (*config.Status, error) {
		t.Helper()
		server := httptest.NewServer(handler)
		defer server.Close()
		host, port, err := net.SplitHostPort(server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		d := NewHTTPDaemons()
		if d.port, err = strconv.Atoi(port); err != nil {
			t.Fatal(err)
		}
		return d.Status(context.Background(), host)
	}
	report, err := ask(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/status" || r.Method != http.MethodGet {
			t.Errorf("%s %s", r.Method, r.URL.Path)
		}
		_, _ = w.Write([]byte(`{"ready":true,"configHash":"abc","passivePorts":"30000-30001","sessions":3,"unknown":1}`))
	})
	if err != nil || report.ConfigHash != "abc" || report.PassivePorts.String() != "30000-30001" {
		t.Errorf("report %+v, %v", report, err)
	}
	for name, handler := range map[string]http.HandlerFunc{
		"an error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		},
		"not JSON": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("220 hello")) },
		"without end": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"reason":"` + strings.Repeat("x", maxReport)))
		},
	} {
		if report, err := ask(handler); err == nil {
			t.Errorf("%s: %+v", name, report)
		}
	}
}

func TestHeardPods(t *testing.T) {
	start := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	refused, timeout := errors.New("connection refused"), &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
	first, second := &config.Status{ConfigHash: "first"}, &config.Status{ConfigHash: "second"}
	h := newHeardPods()
	for _, step := range []struct {
		what   string
		after  time.Duration // time since the start
		report *config.Status
		err    error
		want   answer
		silent bool
	}{
		{"a question that is lost proves nothing", 0, nil, timeout, answer{nil, timeout, true}, false},
		{"nor a second", time.Second, nil, refused, answer{nil, refused, true}, false},
		{"an answer", 2 * time.Second, first, nil, answer{first, nil, false}, false},
		{"which counts while one is lost", 10 * time.Second, nil, timeout, answer{first, timeout, true}, false},
		{"but not for ever", 10*time.Second + giveUp, nil, refused, answer{nil, refused, false}, false},
		{"who lets us wait is left alone for a while", 20 * time.Second, nil, timeout, answer{nil, timeout, false}, true},
		{"until it answers", 20*time.Second + silence, second, nil, answer{second, nil, false}, false},
	} {
		now := start.Add(step.after)
		if h.silent("pod", now) != nil {
			t.Errorf("%s: it would not be asked", step.what)
		}
		if got := h.note("pod", step.report, step.err, now); got != step.want {
			t.Errorf("%s: %+v", step.what, got)
		}
		if (h.silent("pod", now.Add(silence-1)) != nil) != step.silent {
			t.Errorf("%s: silent %v", step.what, !step.silent)
		}
	}
	h.note("other", first, nil, start.Add(time.Hour))
	if len(h.pods) != 1 {
		t.Error("a pod that is gone is remembered")
	}
}

func TestPodChanged(t *testing.T) {
	pod := func(change func(*corev1.Pod)) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}}
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "ftpd", Ready: true}}
		change(p)
		return p
	}
	tests := map[string]struct {
		change func(*corev1.Pod)
		want   bool
	}{
		"nothing":     {func(*corev1.Pod) {}, false},
		"a probe":     {func(p *corev1.Pod) { p.Status.Conditions[0].LastProbeTime = metav1.Now() }, false},
		"a restart":   {func(p *corev1.Pod) { p.Status.ContainerStatuses[0].RestartCount = 3 }, false},
		"readiness":   {func(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionFalse }, true},
		"address":     {func(p *corev1.Pod) { p.Status.PodIP = "10.0.0.1" }, true},
		"termination": {func(p *corev1.Pod) { now := metav1.Now(); p.DeletionTimestamp = &now }, true},
		"annotation":  {func(p *corev1.Pod) { p.Annotations = map[string]string{v1alpha1.PassivePortsAnnotation: "1"} }, true},
		"owner":       {func(p *corev1.Pod) { p.OwnerReferences = []metav1.OwnerReference{{Name: "rs"}} }, true},
		"container":   {func(p *corev1.Pod) { p.Status.ContainerStatuses[0].State.Running = &corev1.ContainerStateRunning{} }, true},
	}
	for name, tt := range tests {
		got := podChanged().Update(event.UpdateEvent{ObjectOld: pod(func(*corev1.Pod) {}), ObjectNew: pod(tt.change)})
		if got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestCacheHoldsNoMoreThanNeeded(t *testing.T) {
	const secret = "s3cr3t"
	meta := metav1.ObjectMeta{
		Name: "x", UID: "u", ResourceVersion: "1", Labels: map[string]string{v1alpha1.ServerLabel: "files", "other": secret},
		Annotations:   map[string]string{"kubectl.kubernetes.io/last-applied-configuration": secret, v1alpha1.ConfigHashAnnotation: "h"},
		ManagedFields: []metav1.ManagedFieldsEntry{{Manager: secret}},
	}
	slim := func(transform func(any) (any, error), in any) any {
		t.Helper()
		out, err := transform(in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	m, _ := slim(slimMetadata, &metav1.PartialObjectMetadata{ObjectMeta: meta}).(*metav1.PartialObjectMetadata)
	if len(m.Annotations) > 0 || len(m.ManagedFields) > 0 || len(m.Labels) != 1 || m.UID != "u" || m.ResourceVersion != "1" {
		t.Errorf("metadata keeps %+v", m.ObjectMeta)
	}
	allowed, _ := slim(slimMetadata, &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{v1alpha1.AllowLabel: "true", "other": secret}}}).(*metav1.PartialObjectMetadata)
	if len(allowed.Labels) != 1 || allowed.Labels[v1alpha1.AllowLabel] != "true" {
		t.Errorf("metadata of a Secret keeps %v", allowed.Labels)
	}
	p, _ := slim(slimPod, &corev1.Pod{ObjectMeta: meta, Spec: corev1.PodSpec{NodeName: "n", Containers: []corev1.Container{{Name: secret}}}}).(*corev1.Pod)
	if len(p.Spec.Containers) > 0 || p.Spec.NodeName != "n" || len(p.Annotations) != 1 {
		t.Errorf("a pod keeps %+v", p)
	}
	theirs := meta
	theirs.Labels = nil
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: theirs, Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}, VolumeName: "v", StorageClassName: new("s"),
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"a": secret}},
	}}
	c, _ := slim(slimClaim, claim).(*corev1.PersistentVolumeClaim)
	if c.Spec.VolumeName != "v" || c.Spec.StorageClassName == nil || c.Spec.Selector != nil || len(c.Spec.AccessModes) != 1 || len(c.ManagedFields) > 0 {
		t.Errorf("a foreign claim keeps %+v", c)
	}
	claim.ObjectMeta = meta
	if c, _ := slim(slimClaim, claim).(*corev1.PersistentVolumeClaim); len(c.ManagedFields) == 0 {
		t.Error("our own claim can no longer be compared")
	}
	n, _ := slim(slimNode, &corev1.Node{ObjectMeta: meta, Status: corev1.NodeStatus{
		Addresses:  []corev1.NodeAddress{{Address: "a"}},
		Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, LastHeartbeatTime: metav1.Now()}, {Type: corev1.NodeDiskPressure}},
		Images:     []corev1.ContainerImage{{Names: []string{secret}}},
	}}).(*corev1.Node)
	if len(n.Status.Images) > 0 || len(n.Status.Conditions) != 1 || !n.Status.Conditions[0].LastHeartbeatTime.IsZero() || len(n.Status.Addresses) != 1 {
		t.Errorf("a node keeps %+v", n.Status)
	}
}
