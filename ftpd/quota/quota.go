// Package quota limits what users may store, in bytes and in files, on any storage.FS.
//
// The quota limits what the user's home holds, no matter which user stored it and however. Files and directories count by their
// names and apparent sizes. The Registry counts a home by walking it when the count is first needed, so that it is
// correct after a restart. Then it follows every change that goes through one of its views, in any home.
//
// An upload reserves what it is about to write, so uploads that run at the same time can't exceed the quota together.
// The reserved amount counts as used until the upload ends. Only the upload may use the bytes of the file that it
// will replace; see claim. So the files on the disk, with temporary files, never exceed the quota plus, for each file
// that is being replaced, its size once more. An upload that would fit but for another one's claim is refused with
// storage.ErrBusy. A file that is removed or replaced while it is being downloaded counts as used until its last
// download has ended, because until then it takes space.
//
// The Registry does not see changes by other programs, above all by another server on a shared volume. So it counts
// again in the background when a count has grown old, and before it refuses an upload because of a count that is not
// fresh. Between two counts, each of several servers may accept data that the others do not know of: a user who
// uploads to n servers at once can exceed the quota by what they upload to the n-1 others in that time, and no more.
//
// Begin reading at Registry.View and upload. Of this module the package imports only storage.
package quota

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// Limit is a user's quota; 0 means no limit.
type Limit struct{ Bytes, Files int64 }

// bounded reports whether there is a limit.
func (l Limit) bounded() bool { return l.Bytes > 0 || l.Files > 0 }

// usage is an amount of storage, or a change of one.
type usage struct{ bytes, files int64 }

func (u usage) plus(v usage) usage  { return usage{u.bytes + v.bytes, u.files + v.files} }
func (u usage) minus(v usage) usage { return usage{u.bytes - v.bytes, u.files - v.files} }

const (
	// recountAfter is the age at which a home is counted again in the background.
	recountAfter = 10 * time.Minute
	// freshFor is the age up to which a count is fresh: good enough to refuse an upload.
	freshFor = 30 * time.Second
	// A count also stays fresh for freshFactor times as long as it took to make. It is made again in the background
	// only after 50 times that: big homes must not be walked all the time.
	freshFactor = 10
)

// Registry counts what homes hold. New makes one. It is safe for concurrent use.
type Registry struct {
	open func(home string) (storage.FS, error)
	log  *slog.Logger

	recountAfter, freshFor time.Duration

	ctx    context.Context
	cancel context.CancelFunc
	counts sync.WaitGroup
	locks  locks

	mu       sync.Mutex
	limits   map[string]Limit    // by user name
	accounts map[string]*account // by home; only homes of users who have, or had, a limit
	appends  map[string]*upload  // by path; uploads that write to an existing file
	running  map[*upload]struct{}
	claims   map[string]*claim // by path
	readings readings
	uploads  uint64            // number of uploads that have begun
	places   map[string]string // paths of homes that are reached by links, by home
}

// New returns a Registry without limits. open opens a home to count it.
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

// SetLimits replaces the limits of all users at once, also for running uploads. If a home exceeds its new limit, its
// files stay, but nothing can be added.
func (r *Registry) SetLimits(limits map[string]Limit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.limits = limits
}

// View returns the user's view of their home, limited by their quota. All views must be made by View, even for users
// without a limit, since their changes may be in homes of other users. Closing the view closes fs.
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
		r.begin(home) // the count will be needed soon
	}
	return v
}

// Used returns what a home holds, including running uploads. It returns false if the home has not been counted,
// because no user with a limit has needed that yet.
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

// Recount starts all counts again in the background. It is for changes in homes that did not go through views.
func (r *Registry) Recount() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.accounts {
		r.restart(a)
	}
}

// Close cancels running counts and waits for their end. Open views stay usable, but uploads fail if the user has a
// limit and the home has not been counted.
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
