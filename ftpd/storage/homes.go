package storage

import (
	"io/fs"
	"os"
	"sync"
)

// homes are the homes that are open. The sessions of one home share one descriptor.
type homes struct {
	mu   sync.Mutex
	open map[string]*home
}

// home is a directory that views share.
type home struct {
	*os.Root
	info  fs.FileInfo // of the directory
	views int
}

// get opens the home below root for one more view.
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
		_ = opened.Close()
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	fresh := &home{Root: opened, info: info, views: 1}
	if h.open == nil {
		h.open = map[string]*home{}
	}
	h.open[name] = fresh // in place of one that is no longer there, which its views still use
	return fresh, nil
}

// share returns a home that is open already, if it still is what lies there; else nil.
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

// put is called when a view of the home is closed.
func (h *homes) put(name string, used *home) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if used.views--; used.views > 0 {
		return nil
	}
	if h.open[name] == used {
		delete(h.open, name)
	}
	return used.Close()
}
