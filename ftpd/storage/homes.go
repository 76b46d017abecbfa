package storage

import (
	"errors"
	"io/fs"
	"os"
	"sync"
)

// homes holds the open homes, so that all sessions of one home share its descriptors.
type homes struct {
	mu   sync.Mutex
	open map[string]*home
}

// home is an open directory that several views share.
type home struct {
	*os.Root
	beneath *beneath
	info    fs.FileInfo // of the directory, when it was opened
	views   int
}

// get returns the home with this name below root, and counts one more view of it.
func (h *homes) get(root *os.Root, name string) (*home, error) {
	if shared := h.share(root, name); shared != nil {
		return shared, nil
	}
	opened, err := openDir(root, name)
	if err != nil {
		return nil, err
	}
	info, err := opened.Stat(".")
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	below, err := newBeneath(opened.Root)
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	fresh := &home{Root: opened.Root, beneath: below, info: info, views: 1}
	if h.open == nil {
		h.open = map[string]*home{}
	}
	h.open[name] = fresh // replaces a home that was removed, which its views still use
	return fresh, nil
}

// share returns the open home with this name, if it is still the same directory; else nil.
func (h *homes) share(root *os.Root, name string) *home {
	h.mu.Lock()
	known := h.open[name]
	if known != nil {
		known.views++
	}
	h.mu.Unlock()
	if known == nil {
		return nil
	}
	if info, err := root.Stat(name + "/."); err != nil || !os.SameFile(info, known.info) {
		_ = h.put(name, known)
		return nil
	}
	return known
}

// put must be called when a view of the home is closed.
func (h *homes) put(name string, used *home) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if used.views--; used.views > 0 {
		return nil
	}
	if h.open[name] == used {
		delete(h.open, name)
	}
	return errors.Join(used.beneath.close(), used.Close())
}
