package passhash

import (
	"context"
	"runtime"

	"github.com/ftp-operator/ftp-operator/internal/keyed"
)

// MaxAtOnce bounds how many hashes a Cache computes at the same time, whatever the number of
// processors: each holds its memory (19 MiB with our own parameters) while it is computed.
const MaxAtOnce = 4

// Cache remembers passwords that were found right, so that the tenth login costs nothing, and
// bounds how many hashes are computed at once, and the memory that they take. It holds neither passwords nor hashes but a
// digest of both under a key that never leaves the process. It is safe for concurrent use.
type Cache struct {
	queue   *queue
	right   *keyed.Set // of hash and password
	compute func(hash, password string) (bool, error)
}

// NewCache returns a cache of at most maxEntries successes; the least recently used goes first.
// With zero or less it remembers nothing and only bounds.
func NewCache(maxEntries int) *Cache {
	return &Cache{
		queue:   newQueue(min(runtime.GOMAXPROCS(0), MaxAtOnce)),
		right:   keyed.NewSet(maxEntries),
		compute: Verify,
	}
}

// Bound bounds how many hashes are computed at once, at least one, and the memory in bytes that they take together,
// that of hashes which have ended and is not collected yet included; 0 is no bound.
// A hash that takes more than that by itself is ErrTooLarge.
func (c *Cache) Bound(atOnce int, memory int64) { c.queue.bound(atOnce, memory) }

// ComputeBy has f verify passwords from now on in place of the package's Verify, for tests of what bounds it.
func (c *Cache) ComputeBy(f func(hash, password string) (bool, error)) {
	c.queue.mu.Lock() // which everybody has had who verifies
	defer c.queue.mu.Unlock()
	c.compute = f
}

// Verify is the package's Verify with a memory of successes.
func (c *Cache) Verify(hash, password string) (bool, error) {
	return c.VerifyContext(context.Background(), hash, password)
}

// VerifyContext is Verify, and waits for its turn until the context ends, whose cause is the error then.
// Error: ErrTooLarge.
func (c *Cache) VerifyContext(ctx context.Context, hash, password string) (bool, error) {
	if c.right.Has(hash, password) {
		return true, nil
	}
	need := Memory(hash)
	if err := c.queue.enter(ctx, need); err != nil {
		return false, err
	}
	defer c.queue.leave(need)
	// Many sessions of one client log in at once; the first of them has done the work.
	if c.right.Has(hash, password) {
		return true, nil
	}
	ok, err := c.compute(hash, password)
	if ok && err == nil {
		c.right.Add(hash, password)
	}
	return ok, err
}

// Spend takes the time that Verify takes for a password that is not remembered, and says
// nothing: for logins of users that do not exist. The error is the context's, as VerifyContext's.
func (c *Cache) Spend(ctx context.Context, hash, password string) error {
	need := Memory(hash)
	if err := c.queue.enter(ctx, need); err != nil {
		return err
	}
	defer c.queue.leave(need)
	_, _ = c.compute(hash, password)
	return nil
}
