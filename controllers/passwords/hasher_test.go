package passwords

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/controllers/policy"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

// secretsReader answers with Secrets by name.
type secretsReader struct {
	client.Reader
	secrets map[string]map[string][]byte
	err     error
	reads   atomic.Int64
}

func (s *secretsReader) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	s.reads.Add(1)
	data, found := s.secrets[key.Name]
	switch {
	case s.err != nil:
		return s.err
	case !found:
		return apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, key.Name)
	}
	secret, _ := into.(*corev1.Secret)
	secret.UID, secret.ResourceVersion, secret.Data = "uid", "1", data
	return nil
}

func testHashing(secrets map[string]map[string][]byte) (*Hasher, *secretsReader) {
	reader := &secretsReader{secrets: secrets}
	return NewHasher(reader, NewMemory(), policy.Policy{}), reader
}

func serverNamed(namespace, name string) ServerRef {
	return ServerRef{UID: types.UID(namespace + "/" + name), Name: types.NamespacedName{Namespace: namespace, Name: name}}
}

const longEnough = time.Minute

// TestHashingResults: one password of a Secret is hashed once, a value that is a hash is used as it is, and an
// unusable value is reported.
func TestHashingResults(t *testing.T) {
	own, err := passhash.Hash("kept")
	if err != nil {
		t.Fatal(err)
	}
	foreign := "$argon2id$v=19$m=65536,t=10,p=1$c29tZXNhbHRzb21lc2FsdA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	h, reader := testHashing(map[string]map[string][]byte{
		"s": {"new": []byte("secret"), "kept": []byte("kept"), "hash": []byte(foreign), "changed": []byte("plain"), "bad": []byte("$6$x$y")},
	})
	var verified []string
	verify := h.Verify
	h.Verify = func(hash, password string) (bool, error) {
		verified = append(verified, hash)
		return verify(hash, password)
	}
	server := serverNamed("a", "files")
	var users []User
	former := map[string]string{"kept": own, "changed": foreign}
	for _, key := range []string{"new", "kept", "hash", "changed", "bad", "none"} {
		users = append(users, User{Key: Key{"user-" + key, "s", key}, Former: former[key]})
	}
	h.Ask(server, map[string][]User{"s": users, "absent": {{Key: Key{"x", "absent", "password"}}}})
	if !h.Wait(t.Context(), server.UID, longEnough) {
		t.Fatal("not done")
	}
	of := func(key string) Known {
		known, ok := h.memory.Recall(server.UID, Key{"user-" + key, "s", key})
		if !ok || known.Version != (Version{"uid", "1"}) {
			t.Errorf("%s: %+v, %v", key, known, ok)
		}
		return known
	}
	for key, password := range map[string]string{"new": "secret", "kept": "kept", "changed": "plain"} {
		if ok, err := passhash.Verify(of(key).Hash, password); !ok || err != nil {
			t.Errorf("%s: %+v", key, of(key))
		}
	}
	if of("kept").Hash != own || of("hash").Hash != foreign {
		t.Error("a hash that fits was changed")
	}
	if of("bad").Problem == nil || of("bad").Problem.Missing || of("none").Problem == nil || !of("none").Problem.Missing {
		t.Errorf("problems: %+v, %+v", of("bad"), of("none"))
	}
	if known, _ := h.memory.Recall(server.UID, Key{"x", "absent", "password"}); known.Problem == nil || known.Version != (Version{}) {
		t.Errorf("an absent Secret: %+v", known)
	}
	// A hash with other parameters than our own is not verified.
	if !slices.Equal(verified, []string{own}) {
		t.Errorf("verified against %q", verified)
	}
	// A version whose hashes are known is not hashed again, even if a lagging cache asks for it.
	h.Hash = func(string) (string, error) { t.Error("hashed again"); return "", nil }
	h.Ask(server, map[string][]User{"s": users})
	h.Wait(t.Context(), server.UID, longEnough)
	if reads := reader.reads.Load(); reads != 3 {
		t.Errorf("%d reads, want 3", reads)
	}
}

// TestFormerHashCostsNothing: a tenant stores a hash of 64 MiB as password and then a plain password. The operator,
// whose own hashes take 19 MiB, must not compute the tenant's hash.
func TestFormerHashCostsNothing(t *testing.T) {
	costly := "$argon2id$v=19$m=65536,t=10,p=1$c29tZXNhbHRzb21lc2FsdA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	if !passhash.IsHash(costly) {
		t.Fatal("not taken as a hash")
	}
	h, _ := testHashing(nil)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := h.hashOf(costly, "plain"); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if spent := (after.TotalAlloc - before.TotalAlloc) >> 20; spent > 40 {
		t.Errorf("hashing one password took %d MiB", spent)
	}
	for _, more := range []string{"m=65537,t=1,p=1", "m=1048576,t=1,p=1", "m=19456,t=11,p=1", "m=19456,t=2,p=17"} {
		text := strings.Replace(costly, "m=65536,t=10,p=1", more, 1)
		if _, _, problem := FromSecret(map[string][]byte{"password": []byte(text)}, "password"); problem == nil || problem.Missing {
			t.Errorf("%s may be stored", more)
		}
	}
}

// TestHashingIsBoundedAndFair: the number of concurrent hashes is bounded, and servers and namespaces take turns.
func TestHashingIsBoundedAndFair(t *testing.T) {
	many := map[string][]byte{}
	var users []User
	for i := range 200 {
		key := fmt.Sprint("u", i)
		many[key] = []byte("many " + key)
		users = append(users, User{Key: Key{key, "many", key}})
	}
	h, _ := testHashing(map[string]map[string][]byte{"many": many, "one": {"password": []byte("one")}})
	var now, most, oneAt atomic.Int64
	begun, ended := make(chan chan struct{}, 601), make(chan struct{}, 601)
	var done atomic.Int64
	h.Hash = func(password string) (string, error) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		goOn := make(chan struct{})
		begun <- goOn
		<-goOn
		now.Add(-1)
		if n := done.Add(1); password == "one" {
			oneAt.Store(n)
		}
		ended <- struct{}{}
		return "hash", nil
	}
	for i := range 3 { // a tenant with several large servers
		h.Ask(serverNamed("greedy", fmt.Sprint("large-", i)), map[string][]User{"many": users})
	}
	modest := serverNamed("modest", "files")
	h.Ask(modest, map[string][]User{"one": {{Key: Key{"one", "one", "password"}}}})
	if h.Wait(t.Context(), modest.UID, time.Millisecond) {
		t.Error("hashes are there though none could be computed")
	}
	// One hash after another goes on, in the order in which they have begun, and only while each worker that has work has
	// begun it: so no worker overtakes another that has taken its work and was not scheduled since.
	var waiting []chan struct{}
	for i := range 601 {
		for i+len(waiting) < min(i+hashWorkers, 601) {
			waiting = append(waiting, <-begun)
		}
		close(waiting[0])
		waiting = waiting[1:]
		<-ended
	}
	for _, server := range []ServerRef{modest, serverNamed("greedy", "large-0"), serverNamed("greedy", "large-1"), serverNamed("greedy", "large-2")} {
		if !h.Wait(t.Context(), server.UID, longEnough) {
			t.Fatal("not done")
		}
	}
	if most.Load() > hashWorkers || done.Load() != 601 {
		t.Errorf("%d at once, %d in all", most.Load(), done.Load())
	}
	if n := oneAt.Load(); n > 20 {
		t.Errorf("the one password came after %d others", n)
	}
}

// TestHashQueueTakesTurns: a namespace waits for at most as many turns as there are namespaces, however much work
// each has.
func TestHashQueueTakesTurns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		left := map[string]map[types.UID]int{}
		for range rapid.IntRange(0, 60).Draw(t, "pushes") {
			server := serverNamed(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "namespace"), rapid.SampledFrom([]string{"x", "y"}).Draw(t, "server"))
			n := left[server.Name.Namespace][server.UID]
			q.push(work{server: server, secret: fmt.Sprint(n)})
			if left[server.Name.Namespace] == nil {
				left[server.Name.Namespace] = map[types.UID]int{}
			}
			left[server.Name.Namespace][server.UID]++
		}
		if rapid.Bool().Draw(t, "drop") {
			if got := q.drop("a/x"); got != left["a"]["a/x"] {
				t.Fatalf("dropped %d, want %d", got, left["a"]["a/x"])
			}
			delete(left["a"], "a/x")
		}
		next := map[types.UID]int{}
		lastOf := map[string]int{}
		for turn := 0; ; turn++ {
			w, more := q.pop()
			if !more {
				break
			}
			if w.secret != fmt.Sprint(next[w.server.UID]) {
				t.Fatalf("%s: %s out of order", w.server.UID, w.secret)
			}
			next[w.server.UID]++
			if last, had := lastOf[w.server.Name.Namespace]; had && turn-last > 3 {
				t.Fatalf("namespace %s waited for %d turns", w.server.Name.Namespace, turn-last)
			}
			lastOf[w.server.Name.Namespace] = turn
		}
		for _, servers := range left {
			for uid, n := range servers {
				if next[uid] != n {
					t.Fatalf("%s: %d of %d", uid, next[uid], n)
				}
			}
		}
	})
}

// TestHashingFailsAndForgets: a Secret that can't be read is requested again, and a server that is gone is forgotten.
func TestHashingFailsAndForgets(t *testing.T) {
	h, reader := testHashing(map[string]map[string][]byte{"s": {"password": []byte("x")}})
	reader.err = errors.New("boom")
	server, key := serverNamed("a", "files"), Key{"alice", "s", "password"}
	ask := func() {
		h.Ask(server, map[string][]User{"s": {{Key: key}}})
		if !h.Wait(t.Context(), server.UID, longEnough) {
			t.Fatal("not done")
		}
	}
	ask()
	if err := h.memory.Failure(server.UID, key); err == nil || !strings.Contains(err.Error(), "Secret a/s") {
		t.Errorf("failure %v", err)
	}
	reader.err = nil
	ask()
	if known, ok := h.memory.Recall(server.UID, key); !ok || known.Hash == "" || h.memory.Failure(server.UID, key) != nil {
		t.Errorf("known %+v, failure %v", known, h.memory.Failure(server.UID, key))
	}

	goOn := make(chan struct{})
	h.Hash = func(string) (string, error) { <-goOn; return "hash", nil }
	h.memory.Forget(server.UID)
	h.Ask(server, map[string][]User{"s": {{Key: key}}})
	h.Forget(server.UID)
	close(goOn)
	if !h.Wait(t.Context(), server.UID, longEnough) || len(h.asked) != 0 {
		t.Error("a server that is gone is still worked for")
	}
}

// TestHashingBeginsAPass: the next pass starts when all hashes are done, unless a pass is waiting for them.
func TestHashingBeginsAPass(t *testing.T) {
	h, _ := testHashing(map[string]map[string][]byte{"s": {"password": []byte("x")}})
	begun := make(chan types.NamespacedName, 10)
	h.again = func(server types.NamespacedName) { begun <- server }
	goOn := make(chan struct{})
	h.Hash = func(string) (string, error) { <-goOn; return "hash", nil }
	server := serverNamed("a", "files")
	asked := map[string][]User{"s": {{Key: Key{"alice", "s", "password"}}}}
	h.Ask(server, asked)
	h.Wait(t.Context(), server.UID, time.Millisecond)
	close(goOn)
	if got := <-begun; got != server.Name {
		t.Errorf("began a pass of %s", got)
	}
	for len(begun) > 0 {
		t.Error("and another one")
		<-begun
	}
}
