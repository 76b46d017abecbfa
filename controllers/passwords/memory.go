package passwords

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// Memory remembers which hash belongs to which version of a Secret, so that an unchanged Secret is neither
// read nor hashed again, and since when passwords are missing. It holds hashes only, no passwords.
type Memory struct {
	mu      sync.Mutex
	servers map[types.UID]*serverPasswords
}

type serverPasswords struct {
	known   map[Key]Known
	errs    map[Key]error
	missing map[string]time.Time // by user: since when
}

// Key is a user and the place of the user's password.
type Key struct{ User, Secret, Key string }

// Known is what a version of a Secret holds for a user: a hash, or a problem.
type Known struct {
	Version Version
	Hash    string
	Problem *status.UserProblem
}

// Version identifies a state of a Secret; the zero value means that there is no Secret.
type Version struct {
	UID             types.UID
	ResourceVersion string
}

// NewMemory returns an empty Memory.
func NewMemory() *Memory {
	return &Memory{servers: map[types.UID]*serverPasswords{}}
}

// KeyOf returns the place of a user's password; the key in the Secret is "password" unless the spec names another.
func KeyOf(user v1alpha1.User) Key {
	k := Key{user.Name, user.PasswordSecretRef.Name, user.PasswordSecretRef.Key}
	if k.Key == "" {
		k.Key = "password"
	}
	return k
}

// of returns the server's entry, which it creates if there is none. The caller holds the lock.
func (m *Memory) of(server types.UID) *serverPasswords {
	s := m.servers[server]
	if s == nil {
		s = &serverPasswords{known: map[Key]Known{}, errs: map[Key]error{}, missing: map[string]time.Time{}}
		m.servers[server] = s
	}
	return s
}

// Recall returns what was remembered last for a user of the server, and whether anything was.
func (m *Memory) Recall(server types.UID, key Key) (Known, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.servers[server]
	if s == nil {
		return Known{}, false
	}
	known, ok := s.known[key]
	return known, ok
}

// Remember records what a version of a Secret holds for a user, and forgets an earlier failure.
func (m *Memory) Remember(server types.UID, key Key, known Known) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.of(server)
	s.known[key] = known
	delete(s.errs, key)
}

// fail records why a password could not be read or hashed this time.
func (m *Memory) fail(server types.UID, key Key, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(server).errs[key] = err
}

// Failure returns why a password could not be read or hashed the last time; nil if it could.
func (m *Memory) Failure(server types.UID, key Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.servers[server]; s != nil {
		return s.errs[key]
	}
	return nil
}

// MissingSince records that a user's password is missing now, and returns since when it has been missing.
func (m *Memory) MissingSince(server types.UID, user string, now time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.of(server)
	if _, known := s.missing[user]; !known {
		s.missing[user] = now
	}
	return s.missing[user]
}

// Found records that a user's password is not missing.
func (m *Memory) Found(server types.UID, user string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.servers[server]; s != nil {
		delete(s.missing, user)
	}
}

// Keep forgets everything except the server's present users.
func (m *Memory) Keep(server *v1alpha1.FtpServer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.servers[server.UID]
	if s == nil {
		return
	}
	present, names := map[Key]bool{}, map[string]bool{}
	for _, user := range server.Spec.Users {
		present[KeyOf(user)], names[user.Name] = true, true
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

// Forget drops everything about a server that is gone.
func (m *Memory) Forget(server types.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.servers, server)
}
