package controllers

import (
	"context"
	"fmt"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

// accounts are the users of a server as the daemon gets them, and what is wrong with the others.
type accounts struct {
	ready  []config.User
	report status.Users
}

// users reads the users' passwords. A user whose password is missing or unusable is left out, and
// the report says why; the others go on.
func (p *pass) users(ctx context.Context) (accounts, error) {
	all := accounts{report: status.Users{Anonymous: p.server.Spec.Anonymous.Enabled}}
	previous := p.previousHashes()
	secrets := map[string]*corev1.Secret{}
	for _, user := range p.server.Spec.Users {
		hash, problem, err := p.passwordHash(ctx, user, previous[user.Name], secrets)
		if err != nil {
			return accounts{}, err
		}
		if problem != nil {
			problem.User = user.Name
			all.report.Problems = append(all.report.Problems, *problem)
			continue
		}
		all.ready = append(all.ready, resources.DaemonUser(user, hash))
		all.report.Ready = append(all.report.Ready, user.Name)
	}
	p.passwords.keep(p.server)
	return all, nil
}

// previousHashes are those that the config Secret holds.
func (p *pass) previousHashes() map[string]string {
	hashes := map[string]string{}
	if p.observed.secretChild.state != ours {
		return hashes
	}
	var before config.Config
	if err := yaml.Unmarshal(p.observed.secret().Data[resources.ConfigKey], &before); err != nil {
		return hashes // edited by hand: every password is hashed anew
	}
	for _, user := range before.Users {
		hashes[user.Name] = user.PasswordHash
	}
	return hashes
}

// passwordHash is the hash of one user's password. It is the one used before for as long as that
// still fits, for a new one would differ by its salt and look like a change.
func (p *pass) passwordHash(ctx context.Context, user v1alpha1.User, before string, read map[string]*corev1.Secret) (string, *status.UserProblem, error) {
	ref := user.PasswordSecretRef
	if ref.Key == "" {
		ref.Key = "password"
	}
	where := fmt.Sprintf("key %q of Secret %s/%s", ref.Key, p.server.Namespace, ref.Name)

	version, err := p.secretVersion(ctx, ref.Name)
	if err != nil {
		return "", nil, err
	}
	if version == (secretVersion{}) {
		return "", &status.UserProblem{Missing: true, Message: fmt.Sprintf(
			"user %s can't log in: there is no Secret %s/%s; make it, with the password under key %q",
			user.Name, p.server.Namespace, ref.Name, ref.Key)}, nil
	}
	if hash, ok := p.passwords.recall(p.server, user, version); ok {
		return hash, nil, nil
	}
	secret := read[ref.Name]
	if secret == nil {
		secret = &corev1.Secret{}
		err := p.Live.Get(ctx, types.NamespacedName{Namespace: p.server.Namespace, Name: ref.Name}, secret)
		if err != nil && !apierrors.IsNotFound(err) {
			return "", nil, fmt.Errorf("reading the password of user %s from Secret %s/%s: %w", user.Name, p.server.Namespace, ref.Name, err)
		}
		read[ref.Name] = secret
	}
	value, problem := password(secret.Data, ref.Key)
	if problem != nil {
		problem.Message = fmt.Sprintf("user %s can't log in: %s %s", user.Name, where, problem.Message)
		return "", problem, nil
	}
	hash := value
	if !passhash.IsHash(value) {
		if hash, err = p.hash(before, value); err != nil {
			return "", nil, fmt.Errorf("hashing the password of user %s: %w", user.Name, err)
		}
	}
	p.passwords.remember(p.server, user, secretVersion{secret.UID, secret.ResourceVersion}, hash)
	return hash, nil, ctx.Err()
}

// hash returns before if it is a hash of the password, else a new one.
func (p *pass) hash(before, password string) (string, error) {
	if before != "" {
		if fits, err := p.verified.Verify(before, password); err == nil && fits {
			return before, nil
		}
	}
	return passhash.Hash(password)
}

// password takes a password, or a hash of one, from a Secret's data. Line ends after it, which many
// an editor and `--from-file` add, are no part of it.
func password(data map[string][]byte, key string) (string, *status.UserProblem) {
	raw, there := data[key]
	value := strings.TrimRight(string(raw), "\r\n")
	switch {
	case !there:
		return "", &status.UserProblem{Missing: true, Message: "does not exist; put the password there"}
	case value == "":
		return "", &status.UserProblem{Missing: true, Message: "is empty; put the password there"}
	case strings.ContainsAny(value, "\r\n\x00"):
		return "", &status.UserProblem{Message: "holds several lines or a NUL, which no FTP client can send; put one line there"}
	}
	for _, prefix := range []string{"$argon2", "$2a$", "$2b$", "$2y$"} {
		if strings.HasPrefix(value, prefix) && !passhash.IsHash(value) {
			return "", &status.UserProblem{Message: "begins like a hash (" + prefix + ") but is none that can be used; put an argon2id or bcrypt hash or the password itself there"}
		}
	}
	return value, nil
}

// secretVersion is a state of a Secret; the zero value is "there is none".
type secretVersion struct {
	uid     types.UID
	version string
}

// secretVersion reads it from the cache, which holds no more of Secrets than their metadata.
func (p *pass) secretVersion(ctx context.Context, name string) (secretVersion, error) {
	meta := &metav1.PartialObjectMetadata{}
	meta.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kindSecret))
	err := p.Client.Get(ctx, types.NamespacedName{Namespace: p.server.Namespace, Name: name}, meta)
	if apierrors.IsNotFound(err) {
		return secretVersion{}, nil
	}
	if err != nil {
		return secretVersion{}, fmt.Errorf("looking for Secret %s/%s: %w", p.server.Namespace, name, err)
	}
	return secretVersion{meta.UID, meta.ResourceVersion}, nil
}

// passwordMemory remembers which hash came of which version of a Secret, so that an unchanged one
// is neither read nor hashed again. It holds hashes only.
type passwordMemory struct {
	mu     sync.Mutex
	hashes map[types.UID]map[passwordKey]rememberedHash
}

type passwordKey struct{ user, secret, key string }

type rememberedHash struct {
	version secretVersion
	hash    string
}

func newPasswordMemory() *passwordMemory {
	return &passwordMemory{hashes: map[types.UID]map[passwordKey]rememberedHash{}}
}

func keyOf(user v1alpha1.User) passwordKey {
	return passwordKey{user.Name, user.PasswordSecretRef.Name, user.PasswordSecretRef.Key}
}

func (m *passwordMemory) recall(server *v1alpha1.FtpServer, user v1alpha1.User, version secretVersion) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.hashes[server.UID][keyOf(user)]
	return r.hash, ok && r.version == version
}

func (m *passwordMemory) remember(server *v1alpha1.FtpServer, user v1alpha1.User, version secretVersion, hash string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hashes[server.UID] == nil {
		m.hashes[server.UID] = map[passwordKey]rememberedHash{}
	}
	m.hashes[server.UID][keyOf(user)] = rememberedHash{version, hash}
}

// keep forgets all but the server's present users.
func (m *passwordMemory) keep(server *v1alpha1.FtpServer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	present := map[passwordKey]bool{}
	for _, user := range server.Spec.Users {
		present[keyOf(user)] = true
	}
	for key := range m.hashes[server.UID] {
		if !present[key] {
			delete(m.hashes[server.UID], key)
		}
	}
}

func (m *passwordMemory) forget(server types.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.hashes, server)
}
