package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// passwordMemory remembers which hash belongs to which version of a Secret, so that an unchanged Secret is neither
// read nor hashed again, and since when passwords are missing. It holds hashes only, no passwords.
type passwordMemory struct {
	mu      sync.Mutex
	servers map[types.UID]*serverPasswords
}

type serverPasswords struct {
	known   map[passwordKey]knownPassword
	errs    map[passwordKey]error
	missing map[string]time.Time // by user: since when
}

// passwordKey is a user and the place of the user's password.
type passwordKey struct{ user, secret, key string }

// knownPassword is what a version of a Secret holds for a user: a hash, or a problem.
type knownPassword struct {
	version secretVersion
	hash    string
	problem *status.UserProblem
}

// secretVersion identifies a state of a Secret; the zero value means that there is no Secret.
type secretVersion struct {
	uid     types.UID
	version string
}

func newPasswordMemory() *passwordMemory {
	return &passwordMemory{servers: map[types.UID]*serverPasswords{}}
}

func keyOf(user v1alpha1.User) passwordKey {
	k := passwordKey{user.Name, user.PasswordSecretRef.Name, user.PasswordSecretRef.Key}
	if k.key == "" {
		k.key = "password"
	}
	return k
}

// of returns the server's entry, which it creates if there is none. The caller holds the lock.
func (m *passwordMemory) of(server types.UID) *serverPasswords {
	s := m.servers[server]
	if s == nil {
		s = &serverPasswords{known: map[passwordKey]knownPassword{}, errs: map[passwordKey]error{}, missing: map[string]time.Time{}}
		m.servers[server] = s
	}
	return s
}

func (m *passwordMemory) recall(server types.UID, key passwordKey) (knownPassword, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.servers[server]
	if s == nil {
		return knownPassword{}, false
	}
	known, ok := s.known[key]
	return known, ok
}

func (m *passwordMemory) remember(server types.UID, key passwordKey, known knownPassword) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.of(server)
	s.known[key] = known
	delete(s.errs, key)
}

// fail records why a password could not be read or hashed this time.
func (m *passwordMemory) fail(server types.UID, key passwordKey, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(server).errs[key] = err
}

// failure returns why a password could not be read or hashed the last time; nil if it could.
func (m *passwordMemory) failure(server types.UID, key passwordKey) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.servers[server]; s != nil {
		return s.errs[key]
	}
	return nil
}

// missingSince records that a user's password is missing now, and returns since when it has been missing.
func (m *passwordMemory) missingSince(server types.UID, user string, now time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.of(server)
	if _, known := s.missing[user]; !known {
		s.missing[user] = now
	}
	return s.missing[user]
}

// found records that a user's password is not missing.
func (m *passwordMemory) found(server types.UID, user string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.servers[server]; s != nil {
		delete(s.missing, user)
	}
}

// keep forgets everything except the server's present users.
func (m *passwordMemory) keep(server *v1alpha1.FtpServer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.servers[server.UID]
	if s == nil {
		return
	}
	present, names := map[passwordKey]bool{}, map[string]bool{}
	for _, user := range server.Spec.Users {
		present[keyOf(user)], names[user.Name] = true, true
	}
	for key := range s.known {
		if !present[key] {
			delete(s.known, key)
		}
	}
	for key := range s.errs {
		if !present[key] {
			delete(s.errs, key)
		}
	}
	for name := range s.missing {
		if !names[name] {
			delete(s.missing, name)
		}
	}
}

func (m *passwordMemory) forget(server types.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.servers, server)
}
