package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/apply"
	"github.com/ftp-operator/ftp-operator/controllers/policy"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// timeStep is the precision of times in the API.
const timeStep = time.Second

// verifiedPasswords bounds the number of passwords that are remembered as verified against a hash.
const verifiedPasswords = 10_000

// Options are the dependencies and settings of a Reconciler.
type Options struct {
	// Client reads from the cache and writes; Live reads from the API server.
	Client client.Client
	Live   client.Reader
	// Recorder records events.
	Recorder events.EventRecorder
	// Daemons asks the daemons for their status.
	Daemons Daemons
	// Image is the daemon's image, unless a server's spec.image overrides it.
	Image string
	// Operator selects the operator's pods, which may reach the daemons' admin ports.
	Operator resources.Operator
	// NodePorts is the cluster's node port range; the zero value means 30000-32767.
	NodePorts config.Run
	// CRD reports whether the CustomResourceDefinition is as new as the operator; nil if that is not checked.
	CRD *CRD
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
type Reconciler struct {
	Options

	// comparer finds out whether an apply would change anything.
	comparer *apply.Comparer
	// fresh detects that the cache lags behind this process's own writes.
	fresh *freshness
	// settled remembers the applies that leave a difference which no apply can remove.
	settled *settled
	// passwords remembers the hashes of passwords, and hashing computes them in the background.
	passwords *passwordMemory
	hashing   *hashing
	// progress remembers for how long pods have not served what they should.
	progress *progress
	// heard remembers the last report of each pod's daemon.
	heard *heardPods
	// settling remembers since when the passive ports of new pods are published.
	settling *settling
	// graces holds back events until their grace period has passed.
	graces *graces
	// failures counts the errors in a row; overtaken counts the passes in a row during which the cluster changed.
	failures  *failures
	overtaken *failures
	// nodes watches nodes, if the operator may read them.
	nodes *nodeAccess
	// neighbours are the Services whose ports may conflict with a server's.
	neighbours *neighbours
	// refused remembers the node ports that the API server refused.
	refused *refusedPorts
	// routes finds EndpointSlices that route to a server's Service and are not ours.
	routes *foreignRoutes
	// told remembers which problems are in the log.
	told *told
	// interests records what servers depend on that they do not own.
	interests *interests
	// contention limits how often a child is written back that another manager writes too.
	contention *contention
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
		o.HashPatience = hashPatience
	}
	passwords := newPasswordMemory()
	return &Reconciler{
		Options:   o,
		comparer:  apply.NewComparer(o.Client.Scheme(), v1alpha1.FieldManager),
		fresh:     newFreshness(o.Clock),
		settled:   newSettled(),
		passwords: passwords,
		hashing:   newHashing(o.Live, passwords, o.Policy),
		progress:  newProgress(),
		heard:     newHeardPods(),
		settling:  newSettling(),
		graces:    newGraces(),
		failures:  newFailures(),
		overtaken: newFailures(),
		nodes:     &nodeAccess{},

		neighbours: &neighbours{},
		refused:    newRefusedPorts(),
		routes:     newForeignRoutes(),
		told:       newTold(),
		interests:  newInterests(),
		contention: newContention(),

		identities: map[types.NamespacedName]types.UID{},
	}
}

// readServer reads the server of a request from the cache, or from the API server if the cache lags behind this
// process's last write; it returns nil if there is none.
func (r *Reconciler) readServer(ctx context.Context, req ctrl.Request) (*v1alpha1.FtpServer, error) {
	server := &v1alpha1.FtpServer{}
	err := r.Client.Get(ctx, req.NamespacedName, server)
	if err == nil && r.fresh.stale(kindServer, server) {
		server = &v1alpha1.FtpServer{}
		if err = r.Live.Get(ctx, req.NamespacedName, server); err == nil {
			r.fresh.read(kindServer, server)
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
	r.failures.succeeded(req.NamespacedName)
	r.overtaken.succeeded(req.NamespacedName)
	r.fresh.forget(kindServer, req.NamespacedName)
	r.interests.forget(req.NamespacedName)
}

func (r *Reconciler) forgetUID(uid types.UID) {
	r.hashing.forget(uid)
	r.passwords.forget(uid)
	r.progress.forget(uid)
	r.refused.forget(uid)
	r.graces.forget(uid)
	r.routes.forget(uid)
	r.told.forget(uid)
	r.contention.forget(uid)
}
