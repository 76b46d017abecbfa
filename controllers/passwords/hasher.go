package passwords

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/ftp-operator/ftp-operator/controllers/policy"
	"github.com/ftp-operator/ftp-operator/controllers/status"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

const (
	// hashWorkers bounds the hashes that are computed at once, for all servers together. Each takes 19 MiB of memory
	// and about 30 ms of CPU time. The same number of Secrets, of up to 1 MiB each, is in memory at once.
	hashWorkers = 2
	// readTimeout bounds the time to read one Secret.
	readTimeout = 10 * time.Second
	// Patience is the default time for which a pass waits for hashes after it has updated the routing. A few
	// hashes are ready within it, and are then written and reported in the same pass.
	Patience = 250 * time.Millisecond
)

// Hasher reads password Secrets and hashes passwords in the background. A pass requests the hashes that it misses
// and goes on with what is known. Results go to the memory of passwords; when everything that was requested for a
// server is done, the server is reconciled again. There are at most hashWorkers goroutines, and none while there is
// nothing to do.
type Hasher struct {
	live   client.Reader
	memory *Memory
	policy policy.Policy
	// Hash and Verify are passhash.Hash and the Verify of a cache of it. A test may replace them before the first Ask:
	// they are read without a lock.
	Hash   func(password string) (string, error)
	Verify func(hash, password string) (bool, error)
	// again enqueues a server for another pass; nil before the controller has started the source.
	again func(server types.NamespacedName)

	mu      sync.Mutex
	queue   queue
	workers int
	asked   map[types.UID]*request
}

// request is the work in progress for one server.
type request struct {
	// secrets are the Secrets that were requested and have not been read yet.
	secrets map[string]bool
	// open is the number of work items that are queued or in progress.
	open int
	// waiting is the number of passes that wait for the work, and done is closed when open becomes 0.
	waiting int
	done    chan struct{}
}

// ServerRef identifies a server.
type ServerRef struct {
	UID  types.UID
	Name types.NamespacedName
}

// work is one item of work: to read a Secret, or to hash one password from it.
type work struct {
	server ServerRef
	secret string
	// users are the users whose passwords are to be read or hashed.
	users []User
	// password is to be hashed for the only element of users; empty if the Secret is to be read. version is the
	// version of the Secret that it comes from.
	password string
	version  Version
}

// User is a user whose hash is requested.
type User struct {
	Key Key
	// Former is the hash in use, which is kept if it matches the password; empty if there is none.
	Former string
}

// Source returns the source by which the controller starts a server's next pass when its hashes are done.
func (h *Hasher) Source() source.Source {
	return source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.again = func(server types.NamespacedName) { queue.Add(reconcile.Request{NamespacedName: server}) }
		return nil
	})
}

// NewHasher returns a Hasher that reads Secrets by live and records what it finds in memory.
func NewHasher(live client.Reader, memory *Memory, policy policy.Policy) *Hasher {
	h := &Hasher{
		live: live, memory: memory, policy: policy,
		Hash: passhash.Hash, Verify: passhash.NewCache(verifiedPasswords).Verify,
		asked: map[types.UID]*request{},
	}
	return h
}

// Ask requests that the passwords of a server's users are read and hashed, grouped by the Secrets that hold them. A
// Secret that is already requested is not requested again before it has been read.
func (h *Hasher) Ask(server ServerRef, bySecret map[string][]User) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.asked[server.UID]
	if a == nil {
		a = &request{secrets: map[string]bool{}, done: make(chan struct{})}
		h.asked[server.UID] = a
	}
	for secret, users := range bySecret {
		if !a.secrets[secret] {
			a.secrets[secret] = true
			h.add(a, work{server: server, secret: secret, users: users})
		}
	}
	if a.open == 0 {
		delete(h.asked, server.UID)
	}
}

// add queues work and starts a worker if fewer than hashWorkers run. The caller holds the lock.
func (h *Hasher) add(a *request, w work) {
	a.open++
	h.queue.push(w)
	if h.workers < hashWorkers {
		h.workers++
		go h.work()
	}
}

// Wait waits, for at most the time most, until all work requested for a server is done, and reports whether it is.
func (h *Hasher) Wait(ctx context.Context, server types.UID, most time.Duration) bool {
	h.mu.Lock()
	a := h.asked[server]
	if a == nil {
		h.mu.Unlock()
		return true
	}
	a.waiting++
	h.mu.Unlock()

	timer := time.NewTimer(most)
	defer timer.Stop()
	done := false
	select {
	case <-a.done:
		done = true
	case <-timer.C:
	case <-ctx.Done():
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	a.waiting--
	if !done {
		select {
		case <-a.done: // done in the meantime; end did not enqueue the server, because a pass was waiting
			done = true
		default:
		}
	}
	return done
}

// Forget drops the queued work of a server that is gone.
func (h *Hasher) Forget(server types.UID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a := h.asked[server]; a != nil {
		a.open -= h.queue.drop(server)
		h.end(server, a)
	}
}

// work is a worker: it does queued work until the queue is empty.
func (h *Hasher) work() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		w, more := h.queue.pop()
		if !more {
			h.workers--
			return
		}
		a := h.asked[w.server.UID]
		h.mu.Unlock()
		next := h.do(w)
		h.mu.Lock()
		for _, n := range next {
			h.add(a, n)
		}
		a.open--
		if h.end(w.server.UID, a) && a.waiting == 0 && h.again != nil {
			h.again(w.server.Name)
		}
	}
}

// end completes a server's request if no work of it is open, and reports whether it did. The caller holds the lock.
func (h *Hasher) end(server types.UID, a *request) bool {
	if a.open > 0 || h.asked[server] != a {
		return false
	}
	delete(h.asked, server)
	close(a.done)
	return true
}

// do does one item of work and returns the work that follows from it.
func (h *Hasher) do(w work) []work {
	if w.password == "" {
		return h.read(w)
	}
	user := w.users[0]
	hash, err := h.hashOf(user.Former, w.password)
	if err != nil {
		h.memory.fail(w.server.UID, user.Key, err)
	} else {
		h.memory.Remember(w.server.UID, user.Key, Known{Version: w.version, Hash: hash})
	}
	return nil
}

// read reads a Secret, records hashes and problems, and returns the passwords that must be hashed.
func (h *Hasher) read(w work) []work {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	secret := &corev1.Secret{}
	key := types.NamespacedName{Namespace: w.server.Name.Namespace, Name: w.secret}
	err := h.live.Get(ctx, key, secret)

	h.mu.Lock()
	if a := h.asked[w.server.UID]; a != nil {
		delete(a.secrets, w.secret) // a later change must be requested again
	}
	h.mu.Unlock()
	if err != nil && !apierrors.IsNotFound(err) {
		for _, user := range w.users {
			h.memory.fail(w.server.UID, user.Key, fmt.Errorf("reading Secret %s: %w", key, err))
		}
		return nil
	}
	version := Version{UID: secret.UID, ResourceVersion: secret.ResourceVersion}
	var next []work
	for _, user := range w.users {
		if before, known := h.memory.Recall(w.server.UID, user.Key); known && before.Version == version {
			continue // the cache of the pass that asked lagged behind
		}
		known := Known{Version: version}
		if err != nil || !h.policy.AllowsSecret(secret.Labels) {
			known.Version = Version{}
			known.Problem = &status.UserProblem{Missing: true}
		} else if value, hashed, problem := FromSecret(secret.Data, user.Key.Key); problem != nil {
			known.Problem = problem
		} else if hashed {
			known.Hash = value
		} else {
			next = append(next, work{server: w.server, secret: w.secret, users: []User{user}, password: value, version: version})
			continue
		}
		h.memory.Remember(w.server.UID, user.Key, known)
	}
	return next
}

// hashOf returns former if it is a hash of the password, else a new hash. A former hash whose parameters differ from
// the operator's own is not verified: others chose those parameters, and they decide what a verification costs.
func (h *Hasher) hashOf(former, password string) (string, error) {
	if passhash.Own(former) {
		if fits, err := h.Verify(former, password); err == nil && fits {
			return former, nil
		}
	}
	return h.Hash(password)
}

// verifiedPasswords bounds the number of passwords that are remembered as verified against a hash.
const verifiedPasswords = 10_000
