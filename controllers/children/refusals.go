package children

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// problemOf classifies an error of the API server. A refusal that only a change can lift becomes a problem and not an
// error, so that it is reported and not retried in a hot loop. Everything else is an error, which is retried with
// backoff.
func problemOf(c *Child, err error) (*status.Problem, error) {
	switch {
	case anotherUID(err):
		return nil, &ChangedError{c.String() + " is not the object it was"}
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return nil, fmt.Errorf("applying %s: %w", c, err)
	case apierrors.IsInvalid(err), apierrors.IsForbidden(err), apierrors.IsBadRequest(err),
		apierrors.IsRequestEntityTooLargeError(err), apierrors.IsMethodNotSupported(err), exhausted(err):
		message := err.Error()
		if c.Kind == KindSecret {
			message = causes(err) // the text of the error might quote the data that it refuses
		}
		return &status.Problem{
			Kind: status.ProblemRejected, Object: c.String(),
			Message: fmt.Sprintf("the API server refuses it: %s; %s", message, hint(err)),
		}, nil
	}
	return nil, fmt.Errorf("applying %s: %w", c, err)
}

// exhausted reports whether the cluster has no free node port or no free cluster IP left. The API server reports that
// as an internal error of its own, and does the same for a health check's node port that is taken.
func exhausted(err error) bool {
	var state apierrors.APIStatus
	if !errors.As(err, &state) || state.Status().Code != http.StatusInternalServerError {
		return false
	}
	text := err.Error()
	return strings.Contains(text, "failed to allocate") &&
		(strings.Contains(text, "range is full") || strings.Contains(text, portAllocated))
}

// portAllocated is part of the API server's message about a node port that another Service has.
const portAllocated = "provided port is already allocated"

// ChangedError says that what a pass has read has changed since, so that the pass must be repeated.
type ChangedError struct{ What string }

func (e *ChangedError) Error() string { return e.What }

// Gone reports whether a write that names a UID failed because the object with that UID no longer exists.
func Gone(err error) bool {
	return apierrors.IsNotFound(err) || apierrors.IsConflict(err) || anotherUID(err)
}

// anotherUID reports whether a write failed because it named another UID than the object has.
func anotherUID(err error) bool {
	var state apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &state) || state.Status().Details == nil {
		return false
	}
	for _, c := range state.Status().Details.Causes {
		if c.Field == "metadata.uid" {
			return true
		}
	}
	return false
}

// hint returns what to do about a refusal.
func hint(err error) string {
	text := err.Error()
	has := func(part string) bool { return strings.Contains(text, part) }
	switch {
	case exhausted(err) && has("a serviceIP"):
		return "the cluster has no free cluster IP left: delete Services that nobody needs, or add a ServiceCIDR"
	case exhausted(err) && !has(portAllocated):
		return "the cluster has no free node port left: delete Services that nobody needs, widen the API server's --service-node-port-range, declare fewer passive ports, or set spec.service.allocateLoadBalancerNodePorts to false if the load balancer does without; it is tried again every minute"
	case has(portAllocated):
		return "another Service has that node port, one that the operator may not see, that took it a moment ago, or that is gone and whose port the API server gives back within minutes: choose other ports in spec.passive.portRange (or spec.service.nodePort), or wait"
	case has("provided port is not in the valid range"):
		return "choose spec.passive.portRange (and spec.service.nodePort) within the cluster's node port range"
	case has("exceeded quota"):
		return "raise the namespace's ResourceQuota or ask for less"
	case has("forbidden: violates PodSecurity"):
		return "the namespace's Pod Security level refuses it: change spec.template"
	case apierrors.IsForbidden(err) && has("User \"system:serviceaccount:"):
		return "the operator lacks a permission: install the roles of its own version"
	case has("spec is immutable after creation"), has("can not be less than"), has("field can not be less than"):
		return "of a claim only the requested size can change, and only upwards: set spec.storage.volumeClaimTemplate back"
	case has("field is immutable"):
		return "that field can't change: set it back, or delete the object to have it made anew"
	}
	return "change the spec or what refuses it; it is tried again every minute"
}

// causes lists which fields of an object are wrong and how, without any of their values.
func causes(err error) string {
	var state apierrors.APIStatus
	if !errors.As(err, &state) {
		return "no details"
	}
	details := state.Status().Details
	if details == nil || len(details.Causes) == 0 {
		return string(state.Status().Reason)
	}
	var parts []string
	for _, c := range details.Causes {
		parts = append(parts, fmt.Sprintf("%s: %s", c.Field, c.Type))
	}
	return strings.Join(parts, ", ")
}
