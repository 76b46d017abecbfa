package children

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/apply"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// FieldOwner names the operator's field manager in every patch and apply.
const FieldOwner = client.FieldOwner(v1alpha1.FieldManager)

// keepUnused is the time after which an entry of a memory that was not used is forgotten. Each server is reconciled
// every minute.
const keepUnused = 10 * time.Minute

// Writer reads and writes the children of servers. It is safe for concurrent use for different servers.
type Writer struct {
	client client.Client
	live   client.Reader
	clock  clock.PassiveClock

	// Tracker detects that the cache lags behind this process's own writes.
	Tracker *WriteTracker

	comparer   *apply.Comparer
	noops      *noops
	contention *contention
}

// NewWriter returns a Writer. c reads from the cache and writes, and live reads from the API server.
func NewWriter(c client.Client, live client.Reader, clock clock.PassiveClock) *Writer {
	return &Writer{
		client: c, live: live, clock: clock,
		Tracker:    NewWriteTracker(clock),
		comparer:   apply.NewComparer(c.Scheme(), v1alpha1.FieldManager),
		noops:      newNoops(),
		contention: newContention(),
	}
}

// Forget drops what is remembered of the children of a server that is gone.
func (w *Writer) Forget(server types.UID) { w.contention.forget(server) }

// Read observes the child of that kind with the namespace and name of object, into which it reads. It reads from the
// cache, and asks the API server if the cache does not have the object or lags behind our own last write. The cache
// holds labelled objects only, so it has neither an object of that name without our label nor a child of ours that lost
// its label.
func (w *Writer) Read(ctx context.Context, server *v1alpha1.FtpServer, kind string, object client.Object) (*Child, error) {
	c := &Child{Kind: kind, Object: object}
	key := client.ObjectKeyFromObject(object)
	reader := client.Reader(w.client)
	if kind == KindSecret {
		reader = w.live // data of Secrets is not cached
	}
	err := reader.Get(ctx, key, object)
	if reader != w.live && (apierrors.IsNotFound(err) || err == nil && w.Tracker.Stale(kind, object)) {
		if err = w.live.Get(ctx, key, object); err == nil {
			w.Tracker.Read(kind, object)
		}
	}
	if apierrors.IsNotFound(err) {
		w.Tracker.Forget(kind, key)
		object.SetNamespace(key.Namespace)
		object.SetName(key.Name)
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", c, err)
	}
	switch {
	case !owns(server, object):
		c.State = Foreign
	case !object.GetDeletionTimestamp().IsZero(), predecessors(object, server):
		c.State = Leaving
	default:
		c.State = Ours
	}
	return c, nil
}

// Result is what Ensure found and did.
type Result struct {
	// Exists is true if the child exists now.
	Exists bool
	// Problems are why the child is not as desired, where a retry does not help.
	Problems []status.Problem
	// After is the time after which to try again, since the child may not be written before; 0: nothing to wait for.
	After time.Duration
}

// Ensure applies the desired state of a child if that would change anything. A refusal that a retry does not help is
// one of the result's problems; an error is returned only if a retry may help.
//
// Between the read that found nothing and the apply that creates the child, another client may create an object of
// that name. If that object has a controller it is safe even then, since the API server refuses a second controller.
// An existing child is written with its UID, so never an object that has replaced it.
func (w *Writer) Ensure(ctx context.Context, server *v1alpha1.FtpServer, c *Child, desired runtime.ApplyConfiguration) (Result, error) {
	switch c.State {
	case Foreign:
		return Result{Problems: []status.Problem{conflict(c, server)}}, nil
	case Leaving:
		return Result{}, nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(desired)
	if err != nil {
		return Result{}, fmt.Errorf("encoding %s: %w", c, err)
	}
	u := &unstructured.Unstructured{Object: content}
	result := Result{Exists: c.State == Ours}
	var identity string
	why := "it does not exist"
	if c.State == Ours {
		if why, identity, err = w.difference(ctx, server, c, desired, u, &result); err != nil || why == "" {
			return result, err
		}
		if err := w.takeOver(ctx, c, desired); err != nil {
			return result, err
		}
		u.SetUID(c.Object.GetUID())
		if c.Kind == KindDeployment {
			// Since the Deployment was read, an autoscaler may have taken over the replicas.
			u.SetResourceVersion(c.Object.GetResourceVersion())
		}
	} else if identity, err = identityOf(u); err != nil {
		return Result{}, err
	}
	err = w.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), FieldOwner, client.ForceOwnership)
	if err != nil {
		w.contention.unknown(server.UID, c)
		problem, err := problemOf(c, err)
		if problem != nil {
			result.Problems = append(result.Problems, *problem)
		}
		return result, err
	}
	log.FromContext(ctx).Info("applied", "child", c.String(), "why", why)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, c.Object); err != nil {
		return result, fmt.Errorf("decoding %s: %w", c, err)
	}
	c.State = Ours
	w.Tracker.Wrote(c.Kind, c.Object)
	w.noops.note(w.comparer, c, desired, w.clock.Now())
	w.contention.written(server.UID, c, identity, w.clock.Now())
	result.Exists = true
	return result, nil
}

// difference returns in what a child of ours differs from what is desired, as why it is to be written now; why is empty
// if it is not to be written. identity identifies the desired state. If another manager keeps changing the child, the
// result says that, and when it may be written again.
func (w *Writer) difference(ctx context.Context, server *v1alpha1.FtpServer, c *Child, desired runtime.ApplyConfiguration, u *unstructured.Unstructured, result *Result) (why, identity string, err error) {
	now := w.clock.Now()
	difference, incomparable := w.comparer.Difference(c.Object, desired)
	agreed := incomparable == nil && (difference == "" || w.noops.is(w.comparer, c, desired, now))
	if agreed && w.contention.known(server.UID, c, now) {
		return "", "", nil
	}
	if identity, err = identityOf(u); err != nil {
		return "", "", err
	}
	if agreed {
		w.contention.written(server.UID, c, identity, now)
		return "", identity, nil
	}
	valueChanged := apply.ValueChanged(difference)
	if incomparable != nil {
		log.FromContext(ctx).Error(incomparable, "can't compare, applying", "child", c.String())
		difference, valueChanged = "it can't be compared", false
	}
	v := w.contention.judge(server.UID, c, identity, valueChanged, now)
	if v.contested {
		result.Problems = append(result.Problems, contestedProblem(c, v))
	}
	if v.wait > 0 {
		log.FromContext(ctx).V(1).Info("left as somebody else wrote it, for now", "child", c.String(), "by", v.by, "for", v.wait.String())
		result.After = v.wait
		return "", identity, nil
	}
	return difference, identity, nil
}

// takeOver takes away from other managers those fields of a child that are ours and that the next apply is to remove.
func (w *Writer) takeOver(ctx context.Context, c *Child, desired runtime.ApplyConfiguration) error {
	patch, err := w.comparer.TakeOver(c.Object, desired)
	if err != nil {
		log.FromContext(ctx).Error(err, "can't see what others own", "child", c.String())
		return nil // they keep the fields, and the conditions report it
	}
	if patch == nil {
		return nil
	}
	if err := w.client.Patch(ctx, c.Object, client.RawPatch(types.JSONPatchType, patch), FieldOwner); err != nil {
		return fmt.Errorf("taking over fields of %s: %w", c, err)
	}
	w.Tracker.Wrote(c.Kind, c.Object)
	log.FromContext(ctx).Info("took over fields that others owned too", "child", c.String())
	return nil
}

// Remove deletes a child that is no longer wanted, if it is the server's own.
func (w *Writer) Remove(ctx context.Context, c *Child) error {
	if c.State != Ours {
		return nil
	}
	uid := c.Object.GetUID()
	err := w.client.Delete(ctx, c.Object, client.Preconditions{UID: &uid})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting %s: %w", c, err)
	}
	log.FromContext(ctx).Info("deleted", "child", c.String())
	c.State = Absent
	return nil
}
