package children

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// These are the kinds of the objects that the operator reads and writes.
const (
	KindServer     = "FtpServer"
	KindDeployment = "Deployment"
	KindService    = "Service"
	KindPolicy     = "NetworkPolicy"
	KindBudget     = "PodDisruptionBudget"
	KindSecret     = "Secret"
	KindClaim      = "PersistentVolumeClaim"
	KindSlice      = "EndpointSlice"
	KindPod        = "Pod"
)

// Kinds are the kinds of which a server has one child each, in addition to its claim. The children are
// watched, cached and observed by this list.
var Kinds = []struct {
	// Kind is the kind, and New returns an empty object of it.
	Kind string
	New  func() client.Object
	// Name returns the name of the server's child.
	Name func(*v1alpha1.FtpServer) string
	// IgnoreStatus is true if changes of the object's status alone start no pass.
	IgnoreStatus bool
}{
	{KindDeployment, func() client.Object { return &appsv1.Deployment{} }, resources.DeploymentName, false},
	{KindService, func() client.Object { return &corev1.Service{} }, resources.ServiceName, false},
	{KindPolicy, func() client.Object { return &networkingv1.NetworkPolicy{} }, resources.NetworkPolicyName, false},
	{KindBudget, func() client.Object { return &policyv1.PodDisruptionBudget{} }, resources.PodDisruptionBudgetName, true},
	{KindSecret, func() client.Object { return &corev1.Secret{} }, resources.ConfigSecretName, false},
}

// State is the state of the object that is found under a child's name.
type State int

const (
	// Absent is the state while there is no such object.
	Absent State = iota
	// Ours is the state of the server's own object, which may be written.
	Ours
	// Leaving is the state of an object that is being deleted. It is created again once it is gone.
	Leaving
	// Foreign is the state of an object of another owner, which is never written.
	Foreign
)

// Child is an object of a server, as it was last read or written. While it is absent, Object holds its namespace and
// name only.
type Child struct {
	Kind   string
	Object client.Object
	State  State
}

// String returns the kind, namespace and name, as messages name the child.
func (c *Child) String() string {
	return fmt.Sprintf("%s %s/%s", c.Kind, c.Object.GetNamespace(), c.Object.GetName())
}

// owns reports whether the object is the server's: it is controlled by the server, or it has no controller and
// carries the server's label. Such an object without a controller was left behind by an earlier server of this name,
// or was restored from a backup, whose owner references name UIDs of the past and are stripped. It is adopted.
func owns(server *v1alpha1.FtpServer, object client.Object) bool {
	if owner := metav1.GetControllerOf(object); owner != nil {
		return owner.UID == server.UID || predecessors(object, server)
	}
	return object.GetLabels()[v1alpha1.ServerLabel] == server.Name
}

// predecessors reports whether the object is controlled by an earlier server of the same name. The garbage collector
// has yet to delete the object or to remove that owner.
func predecessors(object client.Object, server *v1alpha1.FtpServer) bool {
	owner := metav1.GetControllerOf(object)
	return owner != nil && owner.UID != server.UID && owner.Kind == KindServer && owner.Name == server.Name &&
		strings.HasPrefix(owner.APIVersion, v1alpha1.GroupVersion.Group+"/")
}

// conflict returns the problem that a child's name is taken by another object.
func conflict(c *Child, server *v1alpha1.FtpServer) status.Problem {
	holder := "it has no owner"
	remedy := "delete that object, or give the FtpServer another name"
	if o := metav1.GetControllerOf(c.Object); o != nil {
		holder = fmt.Sprintf("it belongs to %s %s", o.Kind, o.Name)
	} else {
		remedy += fmt.Sprintf("; to have it taken over and overwritten, label it %s=%s", v1alpha1.ServerLabel, server.Name)
	}
	return status.Problem{
		Kind: status.ProblemConflict, Object: c.String(),
		Message: fmt.Sprintf(
			"an object of this name exists and is not FtpServer %s's (%s): %s",
			server.Name, holder, remedy),
	}
}
