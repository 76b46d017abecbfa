package controllers

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
	// hashWorkers bounds the hashes that are computed at once, of all servers together; each takes 19 MiB
	// and some 30 ms of a processor. As many Secrets are held at once, of up to 1 MiB each.
	hashWorkers = 2
	// readTimeout bounds the reading of one Secret.
	readTimeout = 10 * time.Second
	// hashPatience is how long a pass waits for hashes, once routing is done, so that a few of them are told and
	// written together with what they came with.
	hashPatience = 250 * time.Millisecond
)

// hashing reads password Secrets and hashes passwords, off the passes: a pass asks for what it misses and goes on
// with what is known. Results go to the memory of passwords; when all that was asked for a server is there, its
// next pass begins. There are hashWorkers goroutines at most, and none while there is nothing to do.
type hashing struct {
	live     client.Reader
	memory   *passwordMemory
	policy   policy.Policy
	verified *passhash.Cache
	// hash and verify are passhash.Hash and verified.Verify, but in tests.
	hash   func(password string) (string, error)
	verify func(hash, password string) (bool, error)
	// again begins a pass of a server; nil where nothing does.
	again func(server types.NamespacedName)

	mu      sync.Mutex
	queue   hashQueue
	workers int
	asked   map[types.UID]*askedHashes
}

// askedHashes is what is under way for one server.
type askedHashes struct {
	// secrets are those that are asked for and not read yet.
	secrets map[string]bool
	// open counts the work that is queued or being done.
	open int
	// waiting counts the passes that wait for it, and done is closed when nothing is open any more.
	waiting int
	done    chan struct{}
}

// serverRef names a server.
type serverRef struct {
	uid  types.UID
	name types.NamespacedName
}

// hashWork is one turn of a worker: to read a Secret, or to hash one password of it.
type hashWork struct {
	server serverRef
	secret string
	// users are those whose passwords are to be read.
	users []hashUser
	// password is to be hashed, for the one user, unless it is empty; it is of that version of the Secret.
	password string
	version  secretVersion
}

// hashUser is a user whose hash is asked for.
type hashUser struct {
	key passwordKey
	// former is the hash that serves now, kept if it is one of the password; empty if there is none.
	former string
}

// source has the controller begin a server's next pass when its hashes are there.
func (h *hashing) source() source.Source {
	return source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.again = func(server types.NamespacedName) { queue.Add(reconcile.Request{NamespacedName: server}) }
		return nil
	})
}

func newHashing(live client.Reader, memory *passwordMemory, policy policy.Policy) *hashing {
	h := &hashing{
		live: live, memory: memory, policy: policy, verified: passhash.NewCache(verifiedPasswords),
		hash: passhash.Hash, asked: map[types.UID]*askedHashes{},
	}
	h.verify = h.verified.Verify
	return h
}

// ask has the passwords of a server's users read and hashed, by the Secrets that hold them. What is under way for a
// Secret already is not asked for again before it has been read.
func (h *hashing) ask(server serverRef, bySecret map[string][]hashUser) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.asked[server.uid]
	if a == nil {
		a = &askedHashes{secrets: map[string]bool{}, done: make(chan struct{})}
		h.asked[server.uid] = a
	}
	for secret, users := range bySecret {
		if !a.secrets[secret] {
			a.secrets[secret] = true
			h.add(a, hashWork{server: server, secret: secret, users: users})
		}
	}
	if a.open == 0 {
		delete(h.asked, server.uid)
	}
}

// add queues work, and has somebody do it. The lock is held.
func (h *hashing) add(a *askedHashes, w hashWork) {
	a.open++
	h.queue.push(w)
	if h.workers < hashWorkers {
		h.workers++
		go h.work()
	}
}

// wait waits until all that was asked for a server is there, but not longer than that, and reports whether it is.
func (h *hashing) wait(ctx context.Context, server types.UID, most time.Duration) bool {
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
		case <-a.done: // since; nobody was told, for a pass was waiting
			done = true
		default:
		}
	}
	return done
}

// forget drops what is queued for a server that is gone.
func (h *hashing) forget(server types.UID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a := h.asked[server]; a != nil {
		a.open -= h.queue.drop(server)
		h.end(server, a)
	}
}

// work does what is queued until nothing is.
func (h *hashing) work() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		w, more := h.queue.pop()
		if !more {
			h.workers--
			return
		}
		a := h.asked[w.server.uid]
		h.mu.Unlock()
		next := h.do(w)
		h.mu.Lock()
		for _, n := range next {
			h.add(a, n)
		}
		a.open--
		if h.end(w.server.uid, a) && a.waiting == 0 && h.again != nil {
			h.again(w.server.name)
		}
	}
}

// end ends what was asked for a server if nothing of it is open, and reports whether it did. The lock is held.
func (h *hashing) end(server types.UID, a *askedHashes) bool {
	if a.open > 0 || h.asked[server] != a {
		return false
	}
	delete(h.asked, server)
	close(a.done)
	return true
}

// do does one turn's work, and returns what is to be done after it.
func (h *hashing) do(w hashWork) []hashWork {
	if w.password == "" {
		return h.read(w)
	}
	user := w.users[0]
	hash, err := h.hashOf(user.former, w.password)
	if err != nil {
		h.memory.fail(w.server.uid, user.key, err)
	} else {
		h.memory.remember(w.server.uid, user.key, knownPassword{version: w.version, hash: hash})
	}
	return nil
}

// read reads a Secret, and notes what need not be hashed.
func (h *hashing) read(w hashWork) []hashWork {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	secret := &corev1.Secret{}
	key := types.NamespacedName{Namespace: w.server.name.Namespace, Name: w.secret}
	err := h.live.Get(ctx, key, secret)

	h.mu.Lock()
	if a := h.asked[w.server.uid]; a != nil {
		delete(a.secrets, w.secret) // a change from here on has to be asked for again
	}
	h.mu.Unlock()
	if err != nil && !apierrors.IsNotFound(err) {
		for _, user := range w.users {
			h.memory.fail(w.server.uid, user.key, fmt.Errorf("reading Secret %s: %w", key, err))
		}
		return nil
	}
	version := secretVersion{secret.UID, secret.ResourceVersion}
	var next []hashWork
	for _, user := range w.users {
		if before, known := h.memory.recall(w.server.uid, user.key); known && before.version == version {
			continue // the cache that asked lags behind
		}
		known := knownPassword{version: version}
		if err != nil || !h.policy.AllowsSecret(secret.Labels) {
			known.version = secretVersion{}
			known.problem = &status.UserProblem{Missing: true}
		} else if value, hashed, problem := password(secret.Data, user.key.key); problem != nil {
			known.problem = problem
		} else if hashed {
			known.hash = value
		} else {
			next = append(next, hashWork{server: w.server, secret: w.secret, users: []hashUser{user}, password: value, version: version})
			continue
		}
		h.memory.remember(w.server.uid, user.key, known)
	}
	return next
}

// hashOf returns former if it is a hash of the password, else a new one. A hash that has other parameters than the
// operator's own is somebody else's: verifying would cost the operator what they chose.
func (h *hashing) hashOf(former, password string) (string, error) {
	if passhash.Own(former) {
		if fits, err := h.verify(former, password); err == nil && fits {
			return former, nil
		}
	}
	return h.hash(password)
}
