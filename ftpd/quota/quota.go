// Package quota bounds what users may store, in bytes and in files, on any storage.FS.
//
// What is bounded is what a user's home holds, whoever stored it and however: files and
// directories are counted by their names and apparent sizes. The count is made by walking the
// home when it is first needed, so it is right after a restart, and is then kept by following
// every change that goes through a view of this Registry, in whatever home.
//
// An upload reserves what it is about to write before it writes it, so uploads that run at the
// same time can't exceed the quota together. What it has reserved counts as used until it ends.
// The file that it will replace is its to use meanwhile, and no other's: see claim. So what is on
// the disk, temporary files included, is never more than the quota and, for each file that is
// being replaced, its size once more. An upload that would fit but for another's claim is
// storage.ErrBusy. A file that is removed or replaced while it is downloaded counts as used until
// the last of the downloads has ended, for as long as it takes room.
//
// What others do to the storage, another server on a shared volume above all, is not seen when
// it happens. So the count is made again in the background when it has grown old, and before an
// upload is refused by a count that is not fresh. Between two counts each of several servers may
// let pass what the others don't know of: a user who uploads to n servers at once can exceed his
// quota by what he brings to the n-1 others in that time, no more.
package quota

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// Limit is a user's quota; 0 is no bound.
type Limit struct{ Bytes, Files int64 }

// bounded reports whether there is any.
func (l Limit) bounded() bool { return l.Bytes > 0 || l.Files > 0 }

// usage is an amount of storage, or a change of one.
type usage struct{ bytes, files int64 }

func (u usage) plus(v usage) usage  { return usage{u.bytes + v.bytes, u.files + v.files} }
func (u usage) minus(v usage) usage { return usage{u.bytes - v.bytes, u.files - v.files} }

const (
	// recountAfter is the age at which a count is made again in the background.
	recountAfter = 10 * time.Minute
	// freshFor is the age up to which a count is good enough to refuse by.
	freshFor = 30 * time.Second
	// freshFactor is how many times longer than it took to make it a count is fresh, and fifty times
	// that it is not made again: a big home must not be walked all the time.
	freshFactor = 10
)

// Registry counts what homes hold. Make one with New. It is safe for concurrent use.
type Registry struct {
	open func(home string) (storage.FS, error)
	log  *slog.Logger

	recountAfter, freshFor time.Duration

	ctx    context.Context
	cancel context.CancelFunc
	counts sync.WaitGroup
	locks  locks

	mu       sync.Mutex
	limits   map[string]Limit    // by user
	accounts map[string]*account // by home; only those of users who have, or had, a limit
	appends  map[string]*upload  // the files that grow in place
	running  map[*upload]struct{}
	claims   map[string]*claim // by name
	readings readings
	uploads  uint64            // how many have begun
	places   map[string]string // of homes that are reached by links, by home
}

// New returns a Registry in which nobody has a limit. open opens a home to count it.
func New(open func(home string) (storage.FS, error), log *slog.Logger) *Registry {
	r := &Registry{
		open:         open,
		log:          log,
		recountAfter: recountAfter,
		freshFor:     freshFor,
		accounts:     map[string]*account{},
		appends:      map[string]*upload{},
		running:      map[*upload]struct{}{},
		claims:       map[string]*claim{},
		readings:     readings{},
		places:       map[string]string{},
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// SetLimits puts the limits of all users in the old ones' place, at once: also for uploads that
// are running. What is stored beyond a limit stays, and nothing can be added.
func (r *Registry) SetLimits(limits map[string]Limit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.limits = limits
}

// View returns the user's view of his home with his quota on it. Views of users without a limit
// must be made by it too, since what they do counts where their homes hold, or lie in, others'.
// Its Close closes fs.
func (r *Registry) View(fs storage.FS, user, home string) storage.FS {
	place := storage.Place(fs, home)
	v := &view{FS: fs, r: r, user: user, home: place}
	if place != home {
		r.mu.Lock()
		r.places[home] = place
		r.mu.Unlock()
		home = place
	}
	if r.limit(user).bounded() {
		r.begin(home) // he will need it soon
	}
	return v
}

// Used is what a home holds, uploads that are running included; false if it has not been counted,
// since nobody with a limit has asked for it yet.
func (r *Registry) Used(home string) (bytes, files int64, counted bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if place, linked := r.places[home]; linked {
		home = place
	}
	a := r.accounts[home]
	if a == nil || !a.counted {
		return 0, 0, false
	}
	used := a.used.plus(a.reserved)
	return used.bytes, used.files, true
}

// Recount makes every count again, in the background. It is for when something outside changed
// what homes hold.
func (r *Registry) Recount() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.accounts {
		r.restart(a)
	}
}

// Close ends counts that are being made and waits for their end. Views that are open go on; those
// whose home has not been counted can't store any more.
func (r *Registry) Close() {
	r.mu.Lock()
	r.cancel()
	r.mu.Unlock()
	r.counts.Wait()
}

func (r *Registry) limit(user string) Limit {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.limits[user]
}
