package controllers

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// childState is the state of the object that is found under a child's name.
type childState int

const (
	absent  childState = iota
	ours               // the server's own, and may be written
	leaving            // being deleted: it is created again once it is gone
	foreign            // another owner's: never written
)

// child is a child object as observed. While it is absent, object holds its namespace and name only.
type child struct {
	kind   string
	object client.Object
	state  childState
}

func (c *child) String() string {
	return fmt.Sprintf("%s %s/%s", c.kind, c.object.GetNamespace(), c.object.GetName())
}

// read observes a child. It reads from the cache, and asks the API server if the cache does not have the object or
// lags behind our own last write. The cache holds labelled objects only, so it has neither an object of that name
// without our label nor a child of ours that lost its label.
func (p *pass) read(ctx context.Context, kind string, object client.Object) (*child, error) {
	c := &child{kind: kind, object: object}
	key := client.ObjectKeyFromObject(object)
	reader := client.Reader(p.Client)
	if kind == kindSecret {
		reader = p.Live // data of Secrets is not cached
	}
	err := reader.Get(ctx, key, object)
	if reader != p.Live && (apierrors.IsNotFound(err) || err == nil && p.fresh.stale(kind, object)) {
		if err = p.Live.Get(ctx, key, object); err == nil {
			p.fresh.read(kind, object)
		}
	}
	if apierrors.IsNotFound(err) {
		p.fresh.forget(kind, key)
		object.SetNamespace(key.Namespace)
		object.SetName(key.Name)
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", c, err)
	}
	switch {
	case !p.owns(object):
		c.state = foreign
	case !object.GetDeletionTimestamp().IsZero(), predecessors(object, p.server):
		c.state = leaving
	default:
		c.state = ours
	}
	return c, nil
}

// owns reports whether the object is this server's: it is controlled by the server, or it has no controller and
// carries the server's label. Such an object without a controller was left behind by an earlier server of this name,
// or was restored from a backup, whose owner references name UIDs of the past and are stripped. It is adopted.
func (p *pass) owns(object client.Object) bool {
	if owner := metav1.GetControllerOf(object); owner != nil {
		return owner.UID == p.server.UID || predecessors(object, p.server)
	}
	return object.GetLabels()[v1alpha1.ServerLabel] == p.server.Name
}

// predecessors reports whether the object is controlled by an earlier server of the same name. The garbage collector
// has yet to delete the object or to remove that owner.
func predecessors(object client.Object, server *v1alpha1.FtpServer) bool {
	owner := metav1.GetControllerOf(object)
	return owner != nil && owner.UID != server.UID && owner.Kind == kindServer && owner.Name == server.Name &&
		strings.HasPrefix(owner.APIVersion, v1alpha1.GroupVersion.Group+"/")
}

// ensure applies the desired state of a child if that would change anything, and reports whether the child exists.
// A refusal that a retry does not help is added to the problems; an error is returned only if a retry may help.
//
// Between the read that found nothing and the apply that creates the child, another client may create an object of
// that name. If that object has a controller it is safe even then, since the API server refuses a second controller.
// An existing child is written with its UID, so never an object that has replaced it.
func (p *pass) ensure(ctx context.Context, c *child, desired runtime.ApplyConfiguration) (bool, error) {
	switch c.state {
	case foreign:
		p.problems = append(p.problems, conflict(c, p.server))
		return false, nil
	case leaving:
		return false, nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(desired)
	if err != nil {
		return false, fmt.Errorf("encoding %s: %w", c, err)
	}
	u := &unstructured.Unstructured{Object: content}
	var identity string
	why := "it does not exist"
	if c.state == ours {
		difference, err := p.comparer.Difference(c.object, desired)
		agreed := err == nil && (difference == "" || p.settled.is(p.comparer, c, desired, p.Clock.Now()))
		if agreed && p.contention.known(p.server.UID, c, p.Clock.Now()) {
			return true, nil
		}
		var identityErr error
		if identity, identityErr = identityOf(u); identityErr != nil {
			return false, identityErr
		}
		switch {
		case agreed:
			p.contention.written(p.server.UID, c, identity, p.Clock.Now())
			return true, nil
		case err != nil:
			log.FromContext(ctx).Error(err, "can't compare, applying", "child", c.String())
		default:
			why = difference
		}
		if !p.mayWrite(ctx, c, identity, difference) {
			return true, nil
		}
		if err := p.takeOver(ctx, c, desired); err != nil {
			return true, err
		}
		u.SetUID(c.object.GetUID())
	} else if identity, err = identityOf(u); err != nil {
		return false, err
	}
	if c.state == ours && c.kind == kindDeployment {
		// Since the Deployment was read, an autoscaler may have taken over the replicas.
		u.SetResourceVersion(c.object.GetResourceVersion())
	}
	err = p.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(v1alpha1.FieldManager), client.ForceOwnership)
	if err != nil {
		p.contention.unknown(p.server.UID, c)
		problem, err := problemOf(c, err)
		if problem != nil {
			p.problems = append(p.problems, *problem)
		}
		return c.state == ours, err
	}
	log.FromContext(ctx).Info("applied", "child", c.String(), "why", why)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, c.object); err != nil {
		return false, fmt.Errorf("decoding %s: %w", c, err)
	}
	c.state = ours
	p.fresh.wrote(c.kind, c.object)
	p.settled.note(p.comparer, c, desired, p.Clock.Now())
	p.contention.written(p.server.UID, c, identity, p.Clock.Now())
	return true, nil
}

// takeOver takes away from other managers those fields of a child that are ours and that the next apply is to remove.
func (p *pass) takeOver(ctx context.Context, c *child, desired runtime.ApplyConfiguration) error {
	patch, err := p.comparer.TakeOver(c.object, desired)
	if err != nil {
		log.FromContext(ctx).Error(err, "can't see what others own", "child", c.String())
		return nil // they keep the fields, and the conditions report it
	}
	if patch == nil {
		return nil
	}
	if err := p.Client.Patch(ctx, c.object, client.RawPatch(types.JSONPatchType, patch), fieldOwner); err != nil {
		return fmt.Errorf("taking over fields of %s: %w", c, err)
	}
	p.fresh.wrote(c.kind, c.object)
	log.FromContext(ctx).Info("took over fields that others owned too", "child", c.String())
	return nil
}

// remove deletes a child that is no longer wanted, if it is the server's own.
func (p *pass) remove(ctx context.Context, c *child) error {
	if c.state != ours {
		return nil
	}
	uid := c.object.GetUID()
	err := p.Client.Delete(ctx, c.object, client.Preconditions{UID: &uid})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting %s: %w", c, err)
	}
	log.FromContext(ctx).Info("deleted", "child", c.String())
	c.state = absent
	return nil
}

// conflict returns the problem that a child's name is taken by another object.
func conflict(c *child, server *v1alpha1.FtpServer) status.Problem {
	holder := "it has no owner"
	remedy := "delete that object, or give the FtpServer another name"
	if o := metav1.GetControllerOf(c.object); o != nil {
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
