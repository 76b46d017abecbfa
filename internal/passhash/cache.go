package passhash

import (
	"context"
	"runtime"

	"github.com/ftp-operator/ftp-operator/internal/keyed"
)

// MaxAtOnce is the largest number of hashes that a Cache computes at the same time, however many processors there
// are: each needs its memory (19 MiB with the parameters of Hash) while it is computed.
const MaxAtOnce = 4

// Cache verifies passwords. It remembers passwords that were right, so that repeated logins cost nothing, and it
// limits the number of hashes that are computed at the same time, and their memory. It stores neither passwords nor
// hashes, only a digest of both with a key that never leaves the process. It is safe for concurrent use.
type Cache struct {
	queue   *queue
	right   *keyed.Set // digests of hash and password
	compute func(hash, password string) (bool, error)
}

// NewCache returns a cache that remembers at most maxEntries right passwords, and drops the least recently used one
// first. If maxEntries is zero or negative it remembers nothing, and only limits the computations.
func NewCache(maxEntries int) *Cache {
	return &Cache{
		queue:   newQueue(min(runtime.GOMAXPROCS(0), MaxAtOnce)),
		right:   keyed.NewSet(maxEntries),
		compute: Verify,
	}
}

// Bound sets the largest number of hashes that are computed at once, at least one, and the memory in bytes that they
// may use together; 0 means no limit. The memory includes that of ended computations which is not yet collected. For
// a hash that needs more than that alone, the error is ErrTooLarge.
func (c *Cache) Bound(atOnce int, memory int64) { c.queue.bound(atOnce, memory) }

// ComputeBy makes the cache verify passwords with f from now on, instead of the function Verify. It is for tests of
// the limits.
func (c *Cache) ComputeBy(f func(hash, password string) (bool, error)) {
	c.queue.mu.Lock() // every verification locks this mutex before it uses compute
	defer c.queue.mu.Unlock()
	c.compute = f
}

// Verify is like the function Verify, but remembers right passwords and waits for its turn.
func (c *Cache) Verify(hash, password string) (bool, error) {
	return c.VerifyContext(context.Background(), hash, password)
}

// VerifyContext is like Verify, but stops waiting for its turn when ctx is done; the error is then the context's
// cause. Another error is ErrTooLarge.
func (c *Cache) VerifyContext(ctx context.Context, hash, password string) (bool, error) {
	if c.right.Has(hash, password) {
		return true, nil
	}
	need := Memory(hash)
	if err := c.queue.enter(ctx, need); err != nil {
		return false, err
	}
	defer c.queue.leave(need)
	// Many sessions of one client may log in at once; the first of them may have done the work meanwhile.
	if c.right.Has(hash, password) {
		return true, nil
	}
	ok, err := c.compute(hash, password)
	if ok && err == nil {
		c.right.Add(hash, password)
	}
	return ok, err
}

// Spend takes the time that Verify takes for a password that is not remembered. It is for logins of users that do not
// exist. Its errors are those of VerifyContext that concern the wait.
func (c *Cache) Spend(ctx context.Context, hash, password string) error {
	need := Memory(hash)
	if err := c.queue.enter(ctx, need); err != nil {
		return err
	}
	defer c.queue.leave(need)
	_, _ = c.compute(hash, password)
	return nil
}
