// Package auth decides which users may log in and what they may do. Authenticator checks names and passwords and
// returns an Identity; Rights (rights.go) is the set of what it may do. Start reading at Authenticator.Login. The
// package imports config, internal/keyed and internal/passhash of this module.
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

// ErrDenied is the error of every failed login. It reveals neither whether the user exists nor what was wrong.
var ErrDenied = errors.New("login denied")

// Identity is a user who has logged in.
type Identity struct {
	// Name is the name as the client gave it, also for anonymous users ("anonymous" or "ftp").
	Name string
	// Anonymous reports whether the user is anonymous, so no password was checked.
	Anonymous bool
	// Home is the user's directory below the storage root, as a relative slash-separated path; "." is the root.
	Home string
	// Access is the class of access that Rights come from. It is empty if the rights are listed one by one.
	Access config.Access
	// Rights are what the user may do, such as id.CanRead().
	Rights
}

// Authenticator checks logins against the users of one configuration. It does not change: a new configuration gets a
// new Authenticator with the same cache. It is safe for concurrent use.
type Authenticator struct {
	users map[string]config.User
	names []string // in the configuration's order
	anon  config.Anonymous
	cache *passhash.Cache
	wrong *keyed.Set // the names and passwords that were denied
}

// deniedLogins is the number of denied logins that are remembered.
const deniedLogins = 10000

// New returns the Authenticator of a configuration's users, which config.Validate has accepted.
func New(users []config.User, anon config.Anonymous, cache *passhash.Cache) *Authenticator {
	a := &Authenticator{users: make(map[string]config.User, len(users)), anon: anon, cache: cache, wrong: keyed.NewSet(deniedLogins)}
	for _, u := range users {
		a.users[u.Name] = u
		a.names = append(a.names, u.Name)
	}
	return a
}

// Login checks a password and returns the user's identity. The error is ErrDenied (errors.Is) if the login is denied.
// Anonymous users ("anonymous" and "ftp", if enabled) may give any password.
//
// An unknown user takes as long as a known one, because Login computes a hash for it, too. A login that was denied
// before is denied again without computing a hash, whether or not the user exists. Only a few hashes are computed at
// a time, so Login may wait for its turn. If ctx ends meanwhile, nothing was verified, and the error is the cause of
// ctx. If there is not enough memory to verify a user's hash, the error is both ErrDenied and passhash.ErrTooLarge.
func (a *Authenticator) Login(ctx context.Context, user, password string) (Identity, error) {
	id, found := a.Lookup(user)
	switch {
	case id.Anonymous:
		return id, nil
	case a.wrong.Has(user, password):
		return Identity{}, ErrDenied
	case !found:
		switch err := a.cache.Spend(ctx, a.hashFor(user), password); {
		case errors.Is(err, passhash.ErrTooLarge): // the same result as for the user whose hash it is
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

// Lookup returns the identity that Login returns for the right password, and whether the user exists. A session calls
// it after a change of configuration, to see whether its user still exists.
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

// identity returns an identity with the listed rights or, if none are listed, with those of the class.
func identity(name, home string, access config.Access, rights []config.Right) Identity {
	if len(rights) > 0 {
		return Identity{Name: name, Home: home, Rights: FromList(rights)}
	}
	return Identity{Name: name, Home: home, Access: access, Rights: RightsOf(access)}
}

// AccessText describes what the user may do, for people to read: the class of access, or the rights.
func (id Identity) AccessText() string {
	if id.Access != "" {
		return string(id.Access)
	}
	return id.Rights.String()
}

// hashFor chooses the hash on which Login spends the time for an unknown user. It is the hash of one of the users,
// and always the same one for the same name. So the times of logins reveal nothing even if the users' hashes differ
// in kind or cost.
func (a *Authenticator) hashFor(unknown string) string {
	if len(a.names) == 0 {
		return dummyHash()
	}
	chosen := maphash.String(seed, unknown) % uint64(len(a.names))
	return a.users[a.names[chosen]].PasswordHash
}

var (
	seed = maphash.MakeSeed()
	// dummyHash is the hash for unknown users while there are no users.
	dummyHash = sync.OnceValue(func() string {
		hash, err := passhash.Hash(rand.Text())
		if err != nil {
			return ""
		}
		return hash
	})
)
