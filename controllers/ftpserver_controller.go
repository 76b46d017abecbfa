package controllers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/caches"
	"github.com/ftp-operator/ftp-operator/controllers/children"
	"github.com/ftp-operator/ftp-operator/controllers/crdschema"
	"github.com/ftp-operator/ftp-operator/controllers/daemonclient"
	"github.com/ftp-operator/ftp-operator/controllers/memory"
	"github.com/ftp-operator/ftp-operator/controllers/passwords"
	"github.com/ftp-operator/ftp-operator/controllers/policy"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// timeStep is the precision of times in the API.
const timeStep = time.Second

// Options are the dependencies and settings of a Reconciler.
type Options struct {
	// Client reads from the cache and writes; Live reads from the API server.
	Client client.Client
	Live   client.Reader
	// Recorder records events.
	Recorder events.EventRecorder
	// Daemons asks the daemons for their status.
	Daemons daemonclient.Client
	// Image is the daemon's image, unless a server's spec.image overrides it.
	Image string
	// Operator selects the operator's pods, which may reach the daemons' admin ports.
	Operator resources.Operator
	// NodePorts is the cluster's node port range; the zero value means 30000-32767.
	NodePorts config.Run
	// CRD reports whether the CustomResourceDefinition is as new as the operator; nil if that is not checked.
	CRD *crdschema.CRD
	// Policy restricts what FtpServers may request.
	Policy policy.Policy
	// Class is the spec.className of the FtpServers to reconcile; empty: those without a class.
	Class string
	// Clock returns the current time.
	Clock clock.PassiveClock
	// HashPatience is the time for which a pass waits for the hashes of passwords after it has updated the routing; 0
	// means 250 ms.
	HashPatience time.Duration
}

// Reconciler reconciles FtpServers. Its fields are kept in memory only: a new process starts with empty ones.
// docs/architecture.md says what each of them holds, and what is wrong while it is empty.
type Reconciler struct {
	Options

	// children reads and writes the objects of the servers, and remembers its writes.
	children *children.Writer
	// passwords remembers the hashes of passwords, and hasher computes them in the background.
	passwords *passwords.Memory
	hasher    *passwords.Hasher
	// daemons asks the daemons, and remembers the last report of each.
	daemons *daemonclient.Poller

	// rollouts remembers for how long pods have not served their configuration.
	rollouts *memory.Rollouts
	// warmUps remembers since when the passive ports of new pods are published.
	warmUps *memory.WarmUps
	// heldEvents holds back events until their grace period has passed, and problemLog knows what is in the log.
	heldEvents *memory.HeldEvents
	problemLog *memory.ProblemLog
	// failures counts the errors in a row; conflicts counts the passes in a row during which the cluster changed.
	failures, conflicts *memory.Streaks
	// refused remembers the node ports that the API server refused.
	refused *memory.RefusedNodePorts
	// liveReads knows for which servers the EndpointSlices are read from the API server.
	liveReads *memory.LiveReads
	// interests records what servers depend on that they do not own.
	interests *memory.Interests

	// nodes watches nodes, if the operator may read them.
	nodes *caches.Nodes
	// others are the Services whose ports may conflict with a server's.
	others *caches.OtherServices
	// foreignSlices is the cache of EndpointSlices that are not in the manager's cache; nil: they are read from the API
	// server.
	foreignSlices client.Reader

	// choosing is held while passive ports are chosen for a server.
	choosing sync.Mutex

	// identities are the UIDs of the servers seen, by name. They tell what to forget when a server is gone.
	identitiesMu sync.Mutex
	identities   map[types.NamespacedName]types.UID
}

// New returns a Reconciler. The caller must call Setup to register it with a manager.
func New(o Options) *Reconciler {
	if o.NodePorts == (config.Run{}) {
		o.NodePorts = config.Run{First: 30000, Last: 32767}
	}
	if o.HashPatience == 0 {
		o.HashPatience = passwords.Patience
	}
	known := passwords.NewMemory()
	return &Reconciler{
		Options:   o,
		children:  children.NewWriter(o.Client, o.Live, o.Clock),
		passwords: known,
		hasher:    passwords.NewHasher(o.Live, known, o.Policy),
		daemons:   daemonclient.NewPoller(o.Daemons, o.Clock),

		rollouts:   memory.NewRollouts(),
		warmUps:    memory.NewWarmUps(),
		heldEvents: memory.NewHeldEvents(),
		problemLog: memory.NewProblemLog(),
		failures:   memory.NewStreaks(),
		conflicts:  memory.NewStreaks(),
		refused:    memory.NewRefusedNodePorts(),
		liveReads:  memory.NewLiveReads(),
		interests:  memory.NewInterests(),

		nodes:      &caches.Nodes{},
		others:     &caches.OtherServices{},
		identities: map[types.NamespacedName]types.UID{},
	}
}

// Reconcile brings one server as close to its declared state as it can, and reports the result in the server's
// status.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	server, err := r.readServer(ctx, req)
	if err != nil {
		return ctrl.Result{}, err
	}
	if server == nil { // the garbage collector deletes its children by their owner references
		r.forget(req)
		return ctrl.Result{}, drainDeleted(ctx, r, req)
	}
	if server.Spec.ClassName != r.Class {
		r.forget(req) // it belongs to another operator
		return ctrl.Result{}, nil
	}
	r.interests.Note(server)
	s := scope{r, server}
	if !server.DeletionTimestamp.IsZero() {
		r.forget(req)
		found, err := drainDeleting(ctx, s)
		if err != nil {
			return failed(ctx, s, found.problems, err)
		}
		return ctrl.Result{RequeueAfter: found.after}, nil
	}
	if server.Spec.Suspend {
		_, _, err := report(ctx, s, nil, status.Suspended(server, r.now()))
		return ctrl.Result{}, err
	}
	s, found, err := runPhases(ctx, s)
	if err != nil {
		return failed(ctx, s, found.problems, err)
	}
	r.failures.Succeeded(req.NamespacedName)
	r.conflicts.Succeeded(req.NamespacedName)
	return ctrl.Result{RequeueAfter: found.after}, nil
}

// failed handles an error that a retry may fix. The first error in a row is only logged, so that a short disturbance
// does not show; from the second on the status reports it. If the cluster changed during the pass, that is not a
// failure: the pass is repeated.
func failed(ctx context.Context, s scope, problems []status.Problem, err error) (ctrl.Result, error) {
	name := client.ObjectKeyFromObject(s.server)
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctrl.Result{}, nil // the operator ends; the next one starts from the beginning
	}
	var changed *children.ChangedError
	if errors.As(err, &changed) || apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		log.FromContext(ctx).V(1).Info("the cluster changed meanwhile, beginning again", "why", err.Error())
		return ctrl.Result{RequeueAfter: s.conflicts.Again(name)}, nil
	}
	if s.failures.Failed(name) > 1 {
		if _, _, reportErr := report(ctx, s, problems, status.Failed(s.server, err.Error(), s.now())); reportErr != nil {
			log.FromContext(ctx).V(1).Info("can't report the failure", "why", reportErr.Error())
		}
	}
	return ctrl.Result{}, err
}

// now returns the current time as the API stores times.
func (r *Reconciler) now() metav1.Time { return metav1.NewTime(r.Clock.Now().Truncate(timeStep)) }

// readServer reads the server of a request from the cache, or from the API server if the cache lags behind this
// process's last write; it returns nil if there is none.
func (r *Reconciler) readServer(ctx context.Context, req ctrl.Request) (*v1alpha1.FtpServer, error) {
	server := &v1alpha1.FtpServer{}
	err := r.Client.Get(ctx, req.NamespacedName, server)
	if err == nil && r.children.Tracker.Stale(children.KindServer, server) {
		server = &v1alpha1.FtpServer{}
		if err = r.Live.Get(ctx, req.NamespacedName, server); err == nil {
			r.children.Tracker.Read(children.KindServer, server)
		}
	}
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading FtpServer %s: %w", req.NamespacedName, err)
	}
	r.identify(req, server.UID)
	return server, nil
}

// identify records the server's UID, and forgets an earlier server of the same name.
func (r *Reconciler) identify(req ctrl.Request, uid types.UID) {
	r.identitiesMu.Lock()
	defer r.identitiesMu.Unlock()
	if old, known := r.identities[req.NamespacedName]; known && old != uid {
		r.forgetUID(old)
	}
	r.identities[req.NamespacedName] = uid
}

// forget drops everything that is remembered about a server that is gone.
func (r *Reconciler) forget(req ctrl.Request) {
	r.identitiesMu.Lock()
	defer r.identitiesMu.Unlock()
	r.forgetUID(r.identities[req.NamespacedName])
	delete(r.identities, req.NamespacedName)
	r.failures.Succeeded(req.NamespacedName)
	r.conflicts.Succeeded(req.NamespacedName)
	r.children.Tracker.Forget(children.KindServer, req.NamespacedName)
	r.interests.Forget(req.NamespacedName)
}

func (r *Reconciler) forgetUID(uid types.UID) {
	r.children.Forget(uid)
	r.hasher.Forget(uid)
	r.passwords.Forget(uid)
	r.rollouts.Forget(uid)
	r.refused.Forget(uid)
	r.heldEvents.Forget(uid)
	r.liveReads.Forget(uid)
	r.problemLog.Forget(uid)
}
