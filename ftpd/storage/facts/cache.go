//go:build linux

package facts

import (
	"errors"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// MaxAge is the longest time for which a directory is kept without being read anew, and the longest time for which it is
// kept if no session lists it. A directory is hot if it is listed twice within that time.
const MaxAge = 10 * time.Second

const (
	// maxDirectories bounds the watches, which a user of the machine has in common for all processes.
	maxDirectories = 64
	// leastEntries is the number of entries from which a directory is kept. Reading fewer takes no longer than a look at what
	// is kept.
	leastEntries = 16
	// maxListed bounds the number of directories of which is known that they were listed once.
	maxListed = 256
	// inUse is the time after its last listing for which a directory is not dropped in favour of another one.
	inUse = time.Second
	// maxChecked is the number of entries that Open looks at by themselves, one after the other, at the most.
	maxChecked = 512
	// patience bounds the time for which Open reads a directory, and that for which it looks at changed entries. The session of
	// Open's caller executes no command meanwhile, not even ABOR. A directory that needs more time, since its disk is slow or
	// it is very large, is not kept.
	patience = 250 * time.Millisecond
	// maxLearned is the number of events after which nothing that is kept is believed any more, when they come faster than
	// they are read. The kernel keeps half as many for us (fs.inotify.max_queued_events).
	maxLearned = 1 << 15
)

// The errors with which Open stops reading a directory.
var (
	errTooLarge = errors.New("the directory has too many entries to keep them in memory")
	errTooSlow  = errors.New("reading the directory takes too long to wait for it")
)

// StatFunc is fstatat(2) without following links, for a name that ends with a zero byte.
type StatFunc func(dir uintptr, name *byte, st *unix.Stat_t) syscall.Errno

// Cache keeps the facts of hot directories. It is safe for concurrent use. It holds descriptors and memory only while
// there are such directories.
type Cache struct {
	stat    StatFunc
	hidden  func(name string) bool
	now     func() time.Time
	least   int           // see leastEntries
	most    int           // see maxDirectories
	learned int           // see maxLearned
	patient time.Duration // see patience
	account account

	mu      sync.Mutex // guards the fields below
	watcher *watcher   // nil while no directory is kept
	kept    map[inode]*directory
	watches map[int32]*directory
	listed  map[inode]listed
	timer   *time.Timer // runs while there is a watcher
	closed  bool
	served  int64 // see Served
}

// listed is what is known of a directory that is not kept.
type listed struct {
	at    time.Time // when it was listed last
	until time.Time // when to try again to keep it
}

// directory is a directory that is kept, or about to be.
type directory struct {
	id    identity
	watch int32

	// read is held while the directory is read, or its changed entries are. It is taken before Cache.mu.
	read sync.Mutex

	// Cache.mu guards the fields below.
	used     time.Time // when it was listed last
	gone     bool      // it is not kept any more
	snapshot *Snapshot // nil: to be read
	made     time.Time // when reading the snapshot began
	dirty    map[string]bool
	unnamed  map[uint64]bool // inodes, see unnamedInode
	spoilt   bool            // what is being read is not to be kept
	vain     int             // how often in a row it was read and not kept
}

// New returns an empty Cache. Names for which hidden returns true are not kept. memory bounds the facts and the texts
// that are kept, in bytes.
func New(stat StatFunc, hidden func(name string) bool, memory int64) *Cache {
	return &Cache{
		stat: stat, hidden: hidden, now: time.Now, least: leastEntries, most: maxDirectories, learned: maxLearned, patient: patience, account: account{most: memory},
		kept: map[inode]*directory{}, watches: map[int32]*directory{}, listed: map[inode]listed{},
	}
}

// Close gives back everything. Later calls of Open return nil.
func (c *Cache) Close() {
	c.mu.Lock()
	c.closed = true
	c.dropAll()
	w := c.idle()
	c.mu.Unlock()
	w.closeUnlessNil()
}

// Served returns the number of listings that did not have to read their directory.
func (c *Cache) Served() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.served
}

// Open returns what an open directory holds, or nil if that is not kept: the caller must then read the directory
// itself. The caller must call Release of what Open returns. read reads the directory for Open, from the beginning, and calls add for each entry; it returns add's error.
// The directory may have been read in part when Open returns nil.
//
// The caller has opened the directory itself, so it has proven that the directory may be read now.
func (c *Cache) Open(dir uintptr, read func(add AddFunc) error) *Snapshot {
	d := c.find(dir)
	if d == nil {
		return nil
	}
	d.read.Lock()
	defer d.read.Unlock()
	s, work, ok := c.take(d)
	switch {
	case !ok:
		return nil
	case s == nil:
		return c.fill(d, read)
	}
	s, again := c.refresh(d, dir, s, work)
	if !again {
		return s
	}
	if _, _, ok := c.take(d); !ok {
		return nil
	}
	return c.fill(d, read)
}

// find returns the record of an open directory if it is hot, and learns what has changed.
func (c *Cache) find(dir uintptr) *directory {
	id, ok := identify(int(dir)) //nolint:gosec // a descriptor
	if !ok {
		return nil
	}
	d, hot := c.known(id)
	if !hot {
		return d
	}
	may := keepable(int(dir)) //nolint:gosec // a descriptor. Without the lock: a network file system asks its server
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.learn()
	now := c.now()
	switch d := c.kept[id.inode]; {
	case d != nil: // by another session, meanwhile
		return d.use(id, now)
	case !may:
		c.remember(id.inode, listed{at: now, until: now.Add(MaxAge)})
		return nil
	}
	return c.keep(id, dir, now)
}

// known returns the record of a directory that is kept. hot says that it is not kept, and was listed not long ago; if
// it was not, known notes that it is listed now.
func (c *Cache) known(id identity) (d *directory, hot bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, false
	}
	c.learn()
	now := c.now()
	if d := c.kept[id.inode]; d != nil {
		return d.use(id, now), false
	}
	last := c.listed[id.inode]
	if now.Sub(last.at) >= MaxAge || now.Before(last.until) {
		c.remember(id.inode, listed{at: now, until: last.until})
		return nil, false
	}
	return nil, true
}

// use returns d for a listing of the directory id, or nil if that was reached by another mount, where other entries may
// be mount points. The caller holds Cache.mu.
func (d *directory) use(id identity, now time.Time) *directory {
	if d.id != id {
		return nil
	}
	d.used = now
	return d
}

// remember notes that a directory, which is not kept, was listed. The caller holds mu.
func (c *Cache) remember(id inode, l listed) {
	if _, known := c.listed[id]; !known && len(c.listed) >= maxListed {
		now := c.now()
		for other, l := range c.listed {
			if now.Sub(l.at) >= MaxAge {
				delete(c.listed, other)
			}
		}
		if len(c.listed) >= maxListed {
			clear(c.listed)
		}
	}
	c.listed[id] = l
}

// keep begins to watch a directory, before it is read. It returns nil if that is not possible. The caller holds mu.
func (c *Cache) keep(id identity, dir uintptr, now time.Time) *directory {
	refused := func() *directory {
		c.remember(id.inode, listed{at: now, until: now.Add(MaxAge)})
		return nil
	}
	if len(c.kept) >= c.most && !c.dropOne(nil) {
		return refused()
	}
	if c.watcher == nil {
		w, err := newWatcher()
		if err != nil {
			return refused()
		}
		c.watcher = w
		c.timer = time.AfterFunc(MaxAge, c.expire)
	}
	watch, err := c.watcher.add(dir)
	if err != nil {
		return refused()
	}
	d := &directory{id: id, watch: watch, used: now}
	c.kept[id.inode], c.watches[watch] = d, d
	delete(c.listed, id.inode)
	return d
}

// learn reads the events that have come. The caller holds mu.
func (c *Cache) learn() {
	if c.watcher == nil {
		return
	}
	some, mounts, err := c.watcher.changed()
	if mounts || err != nil {
		c.dropAll() // an entry may have become a mount point, or be one no longer
	}
	count := 0
	for some && err == nil {
		var b []byte
		if b, err = c.watcher.read(); err != nil {
			c.dropAll()
		}
		for e := range events(b) {
			c.note(e)
			count++
		}
		if some = len(b) > 0; count >= c.learned {
			c.dropAll()
			return
		}
	}
}

// note notes an event. The caller holds mu.
func (c *Cache) note(e event) {
	if e.mask&unix.IN_Q_OVERFLOW != 0 {
		c.dropAll()
		return
	}
	d := c.watches[e.watch]
	if d == nil {
		return
	}
	if e.mask&(unix.IN_IGNORED|unix.IN_UNMOUNT|unix.IN_DELETE_SELF) != 0 || len(e.name) == 0 {
		c.drop(d) // it was removed, or its own facts have changed, such as who may read it
		return
	}
	base := e.name[:len(e.name)-1]
	if c.hidden(string(base)) {
		return
	}
	if e.mask&named != 0 {
		d.spoilt = true // a name may have been read twice, or not at all
	}
	if ino, ok := unnamedInode(string(base)); ok && len(d.unnamed) <= len(d.dirty) {
		if d.unnamed == nil {
			d.unnamed = map[uint64]bool{}
		}
		d.unnamed[ino] = true
	}
	switch {
	case d.dirty[string(e.name)], d.snapshot == nil && d.spoilt:
	case d.snapshot == nil && tooMany(len(d.dirty), 0):
		d.spoilt = true
	case d.snapshot != nil && tooMany(len(d.dirty), d.snapshot.count):
		d.forget() // reading it anew costs less
	default:
		if d.dirty == nil {
			d.dirty = map[string]bool{}
		}
		d.dirty[string(e.name)] = true
	}
}

// tooMany reports whether some of a directory's entries are too many for looking at each one by itself.
func tooMany(some, all int) bool { return some > max(min(all/4, maxChecked), 2*leastEntries) }

// forget releases the snapshot, so that the directory is read anew. The caller holds Cache.mu.
func (d *directory) forget() {
	if d.snapshot != nil {
		d.snapshot.Release()
	}
	d.snapshot, d.dirty, d.unnamed = nil, nil, nil
}

// drop ends that a directory is kept. If it is hot, its next listing begins anew. The caller holds mu.
func (c *Cache) drop(d *directory) {
	if d.gone {
		return
	}
	d.gone = true
	d.forget()
	delete(c.kept, d.id.inode)
	delete(c.watches, d.watch)
	c.watcher.remove(d.watch)
	c.remember(d.id.inode, listed{at: d.used})
}

// dropAll drops all directories. The caller holds mu.
func (c *Cache) dropAll() {
	for _, d := range c.kept {
		c.drop(d)
	}
}

// dropOne drops the directory that was not listed for the longest time, and that is not except. It returns false if all
// are in use. The caller holds mu.
func (c *Cache) dropOne(except *directory) bool {
	var oldest *directory
	for _, d := range c.kept {
		if d != except && (oldest == nil || d.used.Before(oldest.used)) {
			oldest = d
		}
	}
	if oldest == nil || c.now().Sub(oldest.used) < inUse {
		return false
	}
	c.drop(oldest)
	return true
}

// expire drops the directories that no session lists. When none is left, it gives back everything; else it runs again.
func (c *Cache) expire() {
	c.mu.Lock()
	now, next := c.now(), MaxAge
	for _, d := range c.kept {
		if left := MaxAge - now.Sub(d.used); left <= 0 {
			c.drop(d)
		} else {
			next = min(next, left)
		}
	}
	var w *watcher
	switch {
	case len(c.kept) == 0:
		clear(c.listed)
		w = c.idle()
	case c.timer != nil:
		c.timer.Reset(next)
	}
	c.mu.Unlock()
	w.closeUnlessNil()
}

// idle takes away the watcher when no directory is kept. The caller holds mu, and closes the watcher without it: the kernel
// takes milliseconds for that.
func (c *Cache) idle() (w *watcher) {
	if c.timer != nil {
		c.timer.Stop()
	}
	w, c.watcher, c.timer = c.watcher, nil, nil
	return w
}

func (w *watcher) closeUnlessNil() {
	if w != nil {
		w.close()
	}
}
