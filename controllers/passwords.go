package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

const (
	// replaceTime is the time for which a user's former password stays valid while the Secret, its key or the key's
	// content is missing. Tools that replace a Secret delete it and create it again, and a user who is left out of
	// the configuration is logged out.
	replaceTime = time.Minute
	// hashProgress is the time between two passes that write the hashes that are ready by then, when there are many
	// passwords.
	hashProgress = 5 * time.Second
)

// accounts are the users of a server as the daemon's configuration has them, and the problems of the other users.
type accounts struct {
	ready  []config.User
	report status.Users
	// sources are the digests of the sources of the hashes: see sourceDigests.
	sources []string
	// asked are the passwords to be read and hashed, by Secret.
	asked map[string][]hashUser
	// awaited is the number of users that are left out until their passwords are hashed. A password whose Secret
	// could not be read does not count, since it may never be hashed.
	awaited int
}

// users finds the known hashes of the users' passwords, for the present versions of their Secrets. It reads no Secret
// and computes no hash. For a password that has yet to be read or hashed, or that has been missing for less than
// replaceTime, the former hash is used. A user whose password is missing or unusable is left out, and the report says
// why; the other users are not affected.
func (p *pass) users(ctx context.Context) (accounts, error) {
	all := accounts{report: status.Users{Anonymous: p.server.Spec.Anonymous.Enabled}, asked: map[string][]hashUser{}}
	p.passwords.keep(p.server)
	former, sources := p.formerHashes()
	for _, user := range p.server.Spec.Users {
		version, err := p.secretVersion(ctx, user.PasswordSecretRef.Name)
		if err != nil {
			return accounts{}, err
		}
		p.account(ctx, &all, user, version, former[user.Name], sources)
	}
	return all, nil
}

// account adds one user to all.
func (p *pass) account(ctx context.Context, all *accounts, user v1alpha1.User, version secretVersion, former string, sources sourceDigests) {
	key := keyOf(user)
	known, recalled := p.passwords.recall(p.server.UID, key)
	if !recalled && version != (secretVersion{}) && former != "" && sources[sourceDigest(key, version, former)] {
		known, recalled = knownPassword{version: version, hash: former}, true // hashed by an earlier operator process
		p.passwords.remember(p.server.UID, key, known)
	}
	if known.hash != "" {
		former = known.hash
	}
	ready := func(hash string) {
		all.ready = append(all.ready, resources.DaemonUser(user, hash))
		all.report.Ready = append(all.report.Ready, user.Name)
	}
	switch {
	case version == (secretVersion{}):
		known.problem = &status.UserProblem{Missing: true, Message: fmt.Sprintf("there is no Secret %s/%s%s; make it, with the password under key %q",
			p.server.Namespace, key.secret, p.withLabel(), key.key)}
	case !recalled || known.version != version && !p.hashed[key]:
		all.asked[key.secret] = append(all.asked[key.secret], hashUser{key: key, former: former})
		failure := p.passwords.failure(p.server.UID, key)
		if failure != nil {
			log.FromContext(ctx).Error(failure, "a password can't be read; trying again", "user", user.Name)
		}
		if former == "" {
			if failure == nil {
				all.awaited++
			}
			all.report.Hashing = append(all.report.Hashing, user.Name)
		} else {
			ready(former)
		}
		return
	case known.problem != nil && known.version == (secretVersion{}):
		known.problem = &status.UserProblem{Missing: true, Message: fmt.Sprintf("there is no Secret %s/%s%s any more; make it, with the password under key %q",
			p.server.Namespace, key.secret, p.withLabel(), key.key)}
	case known.problem != nil:
		known.problem = &status.UserProblem{Missing: known.problem.Missing,
			Message: fmt.Sprintf("key %q of Secret %s/%s %s", key.key, p.server.Namespace, key.secret, known.problem.Message)}
	default:
		p.passwords.found(p.server.UID, user.Name)
		ready(known.hash)
		all.sources = append(all.sources, sourceDigest(key, known.version, known.hash))
		return
	}
	p.leaveOut(all, user, *known.problem, former, ready)
}

// leaveOut leaves out a user whose password is missing or unusable. If it is missing, the former hash is used until
// replaceTime has passed.
func (p *pass) leaveOut(all *accounts, user v1alpha1.User, problem status.UserProblem, former string, ready func(hash string)) {
	problem.User = user.Name
	if problem.Missing && former != "" {
		now := p.Clock.Now()
		until := p.passwords.missingSince(p.server.UID, user.Name, now).Add(replaceTime)
		if left := until.Sub(now); left > 0 {
			p.lookAgain(left)
			problem.Message = fmt.Sprintf("the former password of user %s serves until %s, for %s", user.Name, until.UTC().Format(time.TimeOnly+"Z"), problem.Message)
			all.report.Replacing = append(all.report.Replacing, problem)
			ready(former)
			return
		}
	}
	problem.Message = fmt.Sprintf("user %s can't log in: %s", user.Name, problem.Message)
	all.report.Problems = append(all.report.Problems, problem)
}

// awaitHashes requests the hashes in all.asked and waits for up to HashPatience. Hashes that are ready by then are
// written and reported in this pass, the others in a later one. Routing must not wait, so it is updated first.
func (p *pass) awaitHashes(ctx context.Context, all accounts) (accounts, error) {
	if len(all.asked) == 0 {
		return all, nil
	}
	if err := p.route(ctx); err != nil {
		return accounts{}, err
	}
	ref := serverRef{uid: p.server.UID, name: client.ObjectKeyFromObject(p.server)}
	p.hashing.ask(ref, all.asked)
	done := p.hashing.wait(ctx, p.server.UID, p.HashPatience)
	if done {
		// The hashes may belong to a newer version of the Secret than the cache knows.
		p.hashed = map[passwordKey]bool{}
		for _, users := range all.asked {
			for _, user := range users {
				p.hashed[user.key] = p.passwords.failure(p.server.UID, user.key) == nil
			}
		}
	}
	all, err := p.users(ctx)
	if err == nil && len(all.asked) > 0 {
		p.lookAgain(hashProgress)
		lost := p.observed.secretChild.state != ours && all.awaited > 0
		none := len(all.report.Hashing) > 0 && len(all.ready) == 0
		p.unknown = len(p.observed.pods) > 0 && (lost || none)
	}
	return all, err
}

// route updates the pods' ports, EndpointSlices and readiness gates from what the pass knows so far: none of them
// depends on the configuration.
func (p *pass) route(ctx context.Context) error {
	problems := len(p.problems)
	p.address = p.findAddress()
	p.inputs = resources.Inputs{Server: p.server, ServiceIPFamilies: p.observed.service().Spec.IPFamilies}
	err := p.applyPods(ctx)
	p.problems = p.problems[:problems] // the full pass finds them again
	return err
}

// formerHashes returns the hashes in the config Secret, by user, and the digests of their sources.
func (p *pass) formerHashes() (map[string]string, sourceDigests) {
	if p.observed.secretChild.state != ours {
		return nil, nil
	}
	secret := p.observed.secret()
	hashes := config.PasswordHashes(secret.Data[resources.ConfigKey])
	for user, hash := range hashes {
		if !passhash.IsHash(hash) {
			delete(hashes, user) // edited by hand
		}
	}
	return hashes, readSourceDigests(secret.Annotations[v1alpha1.PasswordSourcesAnnotation])
}

// password returns a password, or a hash of one, from a Secret's data. Line ends at its end, which many editors and
// `--from-file` add, are removed.
func password(data map[string][]byte, key string) (value string, hashed bool, problem *status.UserProblem) {
	raw, there := data[key]
	if !there {
		return "", false, &status.UserProblem{Missing: true, Message: "does not exist; put the password there"}
	}
	value = strings.TrimRight(string(raw), "\r\n")
	hashed, err := passhash.Configured(value)
	if err != nil {
		return "", false, &status.UserProblem{Missing: errors.Is(err, passhash.ErrEmpty), Message: err.Error()}
	}
	return value, hashed, nil
}

// withLabel names the label that Secrets must carry, if the policy requires one. The message for a Secret without the
// label is the same as for a Secret that does not exist.
func (r *Reconciler) withLabel() string {
	if !r.Policy.RequireSecretLabel {
		return ""
	}
	return fmt.Sprintf(" with the label %s: \"true\"", v1alpha1.AllowLabel)
}

// secretVersion reads the version of a Secret from the cache, which holds only the metadata of Secrets. A Secret that
// the policy does not allow counts as missing.
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
	if !p.Policy.AllowsSecret(meta.Labels) {
		return secretVersion{}, nil
	}
	return secretVersion{meta.UID, meta.ResourceVersion}, nil
}
