package passhash

import (
	"context"
	"runtime"

	"github.com/ftp-operator/ftp-operator/internal/keyed"
)

// maxAtOnce bounds how many hashes a Cache computes at the same time, whatever the number of
// processors: each holds its memory (19 MiB with our own parameters) while it is computed.
const maxAtOnce = 4

// Cache remembers passwords that were found right, so that the tenth login costs nothing, and
// bounds how many hashes are computed at once. It holds neither passwords nor hashes but a
// digest of both under a key that never leaves the process. It is safe for concurrent use.
type Cache struct {
	slots   chan struct{}
	right   *keyed.Set // of hash and password
	compute func(hash, password string) (bool, error)
}

// NewCache returns a cache of at most maxEntries successes; the least recently used goes first.
// With zero or less it remembers nothing and only bounds.
func NewCache(maxEntries int) *Cache {
	return &Cache{
		slots:   make(chan struct{}, min(runtime.GOMAXPROCS(0), maxAtOnce)),
		right:   keyed.NewSet(maxEntries),
		compute: Verify,
	}
}

// Verify is the package's Verify with a memory of successes.
func (c *Cache) Verify(hash, password string) (bool, error) {
	return c.VerifyContext(context.Background(), hash, password)
}

// VerifyContext is Verify, and waits for its turn until the context ends, whose cause is the error then.
func (c *Cache) VerifyContext(ctx context.Context, hash, password string) (bool, error) {
	if c.right.Has(hash, password) {
		return true, nil
	}
	if err := c.enter(ctx); err != nil {
		return false, err
	}
	defer func() { <-c.slots }()
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
	if err := c.enter(ctx); err != nil {
		return err
	}
	defer func() { <-c.slots }()
	_, _ = c.compute(hash, password)
	return nil
}

// enter waits for one of the slots.
func (c *Cache) enter(ctx context.Context) error {
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
