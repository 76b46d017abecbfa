package quota

import (
	"path"
	"slices"
	"sync"
)

// locks keep changes and counts apart. There are three kinds of locks, each on a path:
//
//   - A change locks the directories that it changes, shared with other changes; a count locks the one directory that it
//     reads, exclusively. So a change happens either before or after its directory is counted.
//   - A change locks the paths that it changes exclusively, so that they do not change after it has looked at them.
//   - A change locks all directories on the way to its paths ("ways"), shared with other changes. An operation that moves a
//     directory or a link locks its two paths as ways, exclusively. So paths name the same files during a change.
//
// The zero value is ready for use.
type locks struct {
	mu   sync.Mutex
	held map[string]*pathLock
}

type pathLock struct {
	sync.RWMutex
	users int
}

// get returns the lock of a key. It exists until put was called as often as get.
func (l *locks) get(key string) *pathLock {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held = map[string]*pathLock{}
	}
	k := l.held[key]
	if k == nil {
		k = &pathLock{}
		l.held[key] = k
	}
	k.users++
	return k
}

func (l *locks) put(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.held[key]
	if k.users--; k.users == 0 {
		delete(l.held, key)
	}
}

// change locks paths for a change, and returns a function that unlocks them.
func (l *locks) change(names ...string) (unlock func()) { return l.lock(false, names) }

// move is like change, for an operation that moves a directory, or a link that may lead to one.
func (l *locks) move(from, to string) (unlock func()) { return l.lock(true, []string{from, to}) }

// lock locks ways first, then directories, then paths, and sorts each of these, so that no two changes wait for each
// other.
func (l *locks) lock(ways bool, names []string) (unlock func()) {
	var dirs, shared []string
	alone := map[string]bool{}
	for _, name := range names {
		dirs = append(dirs, path.Dir(name))
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			shared = append(shared, dir)
		}
		if ways {
			shared, alone[name] = append(shared, name), true
		}
	}
	var undo []func()
	read := func(key string) {
		k := l.get(key)
		k.RLock()
		undo = append(undo, func() { k.RUnlock(); l.put(key) })
	}
	write := func(key string) {
		k := l.get(key)
		k.Lock()
		undo = append(undo, func() { k.Unlock(); l.put(key) })
	}
	for _, way := range sortedSet(shared) {
		if alone[way] {
			write("w" + way)
		} else {
			read("w" + way)
		}
	}
	for _, dir := range sortedSet(dirs) {
		read("d" + dir)
	}
	for _, name := range sortedSet(slices.Clone(names)) {
		write("n" + name)
	}
	return func() {
		for _, f := range slices.Backward(undo) {
			f()
		}
	}
}

// count locks a directory for a count, and returns a function that unlocks it.
func (l *locks) count(dir string) (unlock func()) {
	key := "d" + dir
	k := l.get(key)
	k.Lock()
	return func() { k.Unlock(); l.put(key) }
}

func sortedSet(keys []string) []string {
	slices.Sort(keys)
	return slices.Compact(keys)
}
