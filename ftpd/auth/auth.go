// Package auth says who may log in, and what they may do.
package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/internal/keyed"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

// ErrDenied is every failed login's error: it tells neither whether the user exists nor what
// was wrong.
var ErrDenied = errors.New("login denied")

// Identity is somebody who logged in.
type Identity struct {
	// Name as it was given, also for anonymous ("anonymous" or "ftp").
	Name string
	// Anonymous is true when no password was checked.
	Anonymous bool
	// Home is the directory below the storage root, as a relative slash path; "." is the root.
	Home string
	// Access is the class that Rights come from; empty if they were listed one by one.
	Access config.Access
	// Rights are what the identity may do: id.CanRead() and so on.
	Rights
}

// Authenticator knows the users of one configuration. It never changes; a new configuration
// gets a new one, with the same cache. It is safe for concurrent use.
type Authenticator struct {
	users map[string]config.User
	names []string // in the configuration's order
	anon  config.Anonymous
	cache *passhash.Cache
	wrong *keyed.Set // names and passwords that were denied
}

// deniedLogins is how many of them are remembered.
const deniedLogins = 10000

// New returns the authenticator of these users, which config.Validate has found good.
func New(users []config.User, anon config.Anonymous, cache *passhash.Cache) *Authenticator {
	a := &Authenticator{users: make(map[string]config.User, len(users)), anon: anon, cache: cache, wrong: keyed.NewSet(deniedLogins)}
	for _, u := range users {
		a.users[u.Name] = u
		a.names = append(a.names, u.Name)
	}
	return a
}

// Login checks the password. The error is ErrDenied (errors.Is), and an unknown user takes as
// long as a known one. Hashes are computed a few at a time, so Login may wait for its turn; for
// what was denied before, none is computed again, whether or not there is such a user.
// Anonymous users ("anonymous" and "ftp", if enabled) may give any password.
// When the context ends while it waits, nothing was verified and the error is its cause. A hash that there is not enough
// memory to verify is ErrDenied and passhash.ErrTooLarge.
func (a *Authenticator) Login(ctx context.Context, user, password string) (Identity, error) {
	id, found := a.Lookup(user)
	switch {
	case id.Anonymous:
		return id, nil
	case a.wrong.Has(user, password):
		return Identity{}, ErrDenied
	case !found:
		switch err := a.cache.Spend(ctx, a.hashFor(user), password); {
		case errors.Is(err, passhash.ErrTooLarge): // as for the user whose hash it is
			return Identity{}, ErrDenied
		case err != nil:
			return Identity{}, err
		}
		a.wrong.Add(user, password)
		return Identity{}, ErrDenied
	}
	ok, err := a.cache.VerifyContext(ctx, a.users[user].PasswordHash, password)
	if err != nil && ctx.Err() != nil {
		return Identity{}, err
	}
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrDenied, err)
	}
	if !ok {
		a.wrong.Add(user, password)
		return Identity{}, ErrDenied
	}
	return id, nil
}

// Lookup returns what Login would for a right password, and whether the user exists. A session
// uses it after a change of configuration, to see whether its user is still there.
func (a *Authenticator) Lookup(name string) (Identity, bool) {
	if slices.Contains(config.AnonymousNames, name) {
		if !a.anon.Enabled {
			return Identity{}, false
		}
		id := identity(name, a.anon.Home, a.anon.Access, a.anon.Rights)
		id.Anonymous = true
		return id, true
	}
	u, found := a.users[name]
	if !found {
		return Identity{}, false
	}
	return identity(u.Name, u.Home, u.Access, u.Rights), true
}

// identity has the rights that are listed, or else those of the class.
func identity(name, home string, access config.Access, rights []config.Right) Identity {
	if len(rights) > 0 {
		return Identity{Name: name, Home: home, Rights: FromList(rights)}
	}
	return Identity{Name: name, Home: home, Access: access, Rights: RightsOf(access)}
}

// AccessText is what the identity may do, for people to read: the class, or the rights.
func (id Identity) AccessText() string {
	if id.Access != "" {
		return string(id.Access)
	}
	return id.Rights.String()
}

// hashFor chooses the hash on which the time for an unknown user is spent: one of the users',
// always the same for the same name, so that the times tell nothing even if some users have
// hashes of another kind or cost than others.
func (a *Authenticator) hashFor(unknown string) string {
	if len(a.names) == 0 {
		return dummyHash()
	}
	chosen := maphash.String(seed, unknown) % uint64(len(a.names))
	return a.users[a.names[chosen]].PasswordHash
}

var (
	seed = maphash.MakeSeed()
	// dummyHash stands in while there are no users.
	dummyHash = sync.OnceValue(func() string {
		hash, err := passhash.Hash(rand.Text())
		if err != nil {
			return ""
		}
		return hash
	})
)
