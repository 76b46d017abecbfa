package quota

import (
	"path"
	"slices"
	"sync"
)

// locks keep changes and counts apart. A change holds the directories that it changes, shared
// with other changes, and its names alone; a count holds the one directory that it reads alone.
// So a change happens wholly before or wholly after its directory was counted, and what it finds
// at a name is what it changes. The zero value is ready.
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

// change locks names for a change, and returns how to unlock them. Directories come before names,
// each in their order, so that two changes can't wait for each other.
func (l *locks) change(names ...string) (unlock func()) {
	var dirs []string
	for _, name := range names {
		dirs = append(dirs, path.Dir(name))
	}
	var undo []func()
	for _, dir := range sortedSet(dirs) {
		key := "d" + dir
		k := l.get(key)
		k.RLock()
		undo = append(undo, func() { k.RUnlock(); l.put(key) })
	}
	for _, name := range sortedSet(names) {
		key := "n" + name
		k := l.get(key)
		k.Lock()
		undo = append(undo, func() { k.Unlock(); l.put(key) })
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
