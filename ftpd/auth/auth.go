// Package auth says who may log in, and what they may do.
package auth

import (
	"errors"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
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
	// Access is the class that Rights come from.
	Access config.Access
	// Rights are what the identity may do: id.CanRead() and so on.
	Rights
}

// Authenticator knows the users of one configuration. It never changes; a new configuration
// gets a new one, with the same cache. It is safe for concurrent use.
type Authenticator struct{}

// New returns the authenticator of these users.
func New(users []config.User, anon config.Anonymous, cache *passhash.Cache) *Authenticator {
	return &Authenticator{}
}

// Login checks the password. The error is ErrDenied (errors.Is), and an unknown user takes as
// long as a known one. Hashes are computed a few at a time, so Login may wait for its turn.
func (a *Authenticator) Login(user, password string) (Identity, error) {
	return Identity{}, ErrDenied
}

// Lookup returns what Login would for a right password, and whether the user exists. A session
// uses it after a change of configuration, to see whether its user is still there.
func (a *Authenticator) Lookup(name string) (Identity, bool) { return Identity{}, false }
