package passhash

import (
	"container/list"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"runtime"
	"sync"
)

// maxAtOnce bounds how many hashes a Cache computes at the same time, whatever the number of
// processors: each holds its memory (19 MiB with our own parameters) while it is computed.
const maxAtOnce = 4

// Cache remembers passwords that were found right, so that the tenth login costs nothing, and
// bounds how many hashes are computed at once. It holds neither passwords nor hashes but a
// digest of both under a key that never leaves the process. It is safe for concurrent use.
type Cache struct {
	key   [sha256.Size]byte
	slots chan struct{}

	mu      sync.Mutex
	max     int
	known   map[digest]*list.Element // in used
	used    list.List                // of digests, least recently used last
	compute func(hash, password string) (bool, error)
}

type digest [sha256.Size]byte

// NewCache returns a cache of at most maxEntries successes; the least recently used goes first.
// With zero or less it remembers nothing and only bounds.
func NewCache(maxEntries int) *Cache {
	c := &Cache{
		slots:   make(chan struct{}, min(runtime.GOMAXPROCS(0), maxAtOnce)),
		max:     maxEntries,
		known:   make(map[digest]*list.Element),
		compute: Verify,
	}
	_, _ = rand.Read(c.key[:])
	return c
}

// Verify is the package's Verify with a memory of successes.
func (c *Cache) Verify(hash, password string) (bool, error) {
	d := c.digest(hash, password)
	if c.recall(d) {
		return true, nil
	}
	c.slots <- struct{}{}
	defer func() { <-c.slots }()
	// Many sessions of one client log in at once; the first of them has done the work.
	if c.recall(d) {
		return true, nil
	}
	ok, err := c.compute(hash, password)
	if ok && err == nil {
		c.remember(d)
	}
	return ok, err
}

// Spend takes the time that Verify takes for a password that is not remembered, and says
// nothing: for logins of users that do not exist.
func (c *Cache) Spend(hash, password string) {
	c.slots <- struct{}{}
	defer func() { <-c.slots }()
	_, _ = c.compute(hash, password)
}

// digest covers the hash and the password, told apart by the hash's length.
func (c *Cache) digest(hash, password string) digest {
	mac := hmac.New(sha256.New, c.key[:])
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(hash))))
	mac.Write([]byte(hash))
	mac.Write([]byte(password))
	return digest(mac.Sum(nil))
}

func (c *Cache) recall(d digest) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, found := c.known[d]
	if found {
		c.used.MoveToFront(e)
	}
	return found
}

func (c *Cache) remember(d digest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, found := c.known[d]; found || c.max <= 0 {
		return
	}
	c.known[d] = c.used.PushFront(d)
	if c.used.Len() > c.max {
		delete(c.known, c.used.Remove(c.used.Back()).(digest))
	}
}
