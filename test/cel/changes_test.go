package cel

import (
	"strings"
	"testing"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// A change is an update of a FtpServer; if message is empty, it must be accepted.
type change struct {
	name, before, after string
	message             string
}

const (
	frozenClaim = "of volumeClaimTemplate.spec only resources.requests.storage, storageClassName and volumeAttributesClassName can be changed"
	frozenClass = "service.loadBalancerClass of a load balancer that exists can't be changed"
)

func claimOf(size, rest string) string {
	return "storage: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: " + size + "}}" + rest + "}}}"
}

var changes = []change{
	{"users and range", base, user("") + "\npassive: {portRange: {start: 40000, end: 40010}}", ""},
	{"a claim grows", claimOf("10Gi", ""), claimOf("11Gi", ""), ""},
	{"a claim stays, written otherwise", claimOf("1Gi", ""), claimOf("1024Mi", ""), ""},
	{"a claim shrinks", claimOf("10Gi", ""), claimOf("10G", ""), ""}, // the operator reports what happens with it
	{"a claim's other fields stay", claimOf("1Gi", ", selector: {matchLabels: {a: b}}, volumeName: v, dataSource: {kind: PersistentVolumeClaim, name: x}"), claimOf("2Gi", ", selector: {matchLabels: {a: b}}, volumeName: v, dataSource: {kind: PersistentVolumeClaim, name: x}"), ""},
	{"a claim's attributes class", claimOf("1Gi", ", volumeAttributesClassName: silver"), claimOf("1Gi", ", volumeAttributesClassName: gold"), ""},
	{"a claim's storage class", claimOf("1Gi", ", storageClassName: a"), claimOf("1Gi", ", storageClassName: b"), ""}, // likewise
	{"a claim's storage class set late", claimOf("1Gi", ""), claimOf("1Gi", ", storageClassName: b"), ""},
	{"a claim's volume", claimOf("1Gi", ", volumeName: a"), claimOf("1Gi", ""), frozenClaim},
	{"a claim's selector", claimOf("1Gi", ", selector: {matchLabels: {a: b}}"), claimOf("1Gi", ", selector: {matchLabels: {a: c}}"), frozenClaim},
	{"a claim's mode", claimOf("1Gi", ""), claimOf("1Gi", ", volumeMode: Filesystem"), frozenClaim},
	{"a claim's source", claimOf("1Gi", ""), claimOf("1Gi", ", dataSource: {kind: PersistentVolumeClaim, name: x}"), frozenClaim},
	{"a claim's source by reference", claimOf("1Gi", ""), claimOf("1Gi", ", dataSourceRef: {kind: PersistentVolumeClaim, name: x}"), frozenClaim},
	{"a claim's access modes", claimOf("1Gi", ""), strings.ReplaceAll(claimOf("1Gi", ""), "ReadWriteOnce", "ReadWriteMany"), frozenClaim},
	{"from a made claim to another", claimOf("1Gi", ""), shared, ""},
	{"from one claim to another", shared, "storage: {persistentVolumeClaim: {claimName: other}}", ""},
	{"from a trial to a claim", base, shared, ""},
	{"from a claim to a trial", shared, base, "storage can't be changed from a volume that lasts to emptyDir"},
	{"from a made claim to a trial", claimOf("1Gi", ""), base, "storage can't be changed from a volume that lasts to emptyDir"},

	{"from the default range to a count", base, base + passive("portCount: 10"), ""},
	{"from a range to a count", base + passive("portRange: {start: 40000, end: 40010}"), base + passive("portCount: 10"), ""},
	{"from a count to a range", base + passive("portCount: 10"), base + passive("portRange: {start: 40000, end: 40010}"), ""},
	{"a range beside a count", base + passive("portCount: 10"), base + passive("portCount: 10, portRange: {start: 40000, end: 40010}"), "passive.portRange and passive.portCount exclude each other"},

	{"the class stays", base + "service: {loadBalancerClass: a}", base + "service: {loadBalancerClass: a, port: 2100}", ""},
	{"the class changes", base + "service: {loadBalancerClass: a}", base + "service: {loadBalancerClass: b}", frozenClass},
	{"the class goes", base + "service: {loadBalancerClass: a}", base, frozenClass},
	{"the class comes late", base, base + "service: {loadBalancerClass: a}", frozenClass},
	{"the class goes with the type", base + "service: {loadBalancerClass: a}", base + "service: {type: ClusterIP}", ""},
	{"the class comes with the type", base + "service: {type: ClusterIP}", base + "service: {loadBalancerClass: b}", ""},
}

// create creates a FtpServer that is deleted with the test.
func create(t *testing.T, spec string) *unstructured.Unstructured {
	t.Helper()
	u := server(t, spec)
	if err := api.Create(t.Context(), u, client.FieldValidation("Strict")); err != nil {
		t.Fatalf("create the FtpServer to change: %v\n%s", err, spec)
	}
	t.Cleanup(func() {
		if err := api.Delete(cleanup(), u); err != nil {
			t.Errorf("delete the FtpServer of the test: %v", err)
		}
	})
	return u
}

func TestChanges(t *testing.T) {
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			u := create(t, c.before)
			u.Object["spec"] = server(t, c.after).Object["spec"]
			err := api.Update(t.Context(), u, client.DryRunAll, client.FieldValidation("Strict"))
			switch {
			case c.message != "":
				mustRefuse(t, err, c.message)
			case err != nil:
				t.Fatalf("refused: %v", err)
			}
		})
	}
}

// TestScale: kubectl scale and autoscalers use the scale subresource, to which the rules apply, too.
func TestScale(t *testing.T) {
	u := create(t, shared+"replicas: 2\npassive: {portRange: {start: 30000, end: 30003}}")
	scale := func(replicas int32) error {
		return api.SubResource("scale").Update(t.Context(), u.DeepCopy(),
			client.WithSubResourceBody(&autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: replicas}}))
	}
	mustRefuse(t, scale(4), "passive.portRange holds too few ports")
	if err := scale(3); err != nil {
		t.Fatalf("scale within the range: %v", err)
	}
	if err := api.Get(t.Context(), client.ObjectKeyFromObject(u), u); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := unstructured.NestedInt64(u.Object, "spec", "replicas"); got != 3 {
		t.Errorf("spec.replicas is %d after scaling to 3", got)
	}
}
