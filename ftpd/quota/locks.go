package quota

import (
	"path"
	"slices"
	"sync"
)

// locks keep changes and counts apart. A change holds the directories that it changes, shared
// with other changes, and its names alone; a count holds the one directory that it reads alone.
// So a change happens wholly before or wholly after its directory was counted, and what it finds
// at a name is what it changes. A change also holds the way to its names, shared with others, and
// what moves a directory or a link holds the two names that it changes as ways, alone: so names
// stand for the same files all the while. The zero value is ready.
type locks struct {
	mu   sync.Mutex
	held map[string]*pathLock
}

type pathLock struct {
	sync.RWMutex
	users int
}

// get returns the lock of a key, which lives until as many put it.
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

// change locks names for a change, and returns how to unlock them.
func (l *locks) change(names ...string) (unlock func()) { return l.lock(false, names) }

// move is change for what moves a directory, or a link that may lead to one.
func (l *locks) move(from, to string) (unlock func()) { return l.lock(true, []string{from, to}) }

// lock takes ways first, then directories, then names, each in their order, so that two changes
// can't wait for each other.
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

// count locks a directory for a count.
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
