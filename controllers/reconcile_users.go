package controllers

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/children"
	"github.com/ftp-operator/ftp-operator/controllers/passwords"
	"github.com/ftp-operator/ftp-operator/controllers/portplan"
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
	findings
	ready  []config.User
	report status.Users
	// sources are the digests of the sources of the hashes: see passwords.Sources.
	sources []string
	// asked are the passwords to be read and hashed, by Secret.
	asked map[string][]passwords.User
	// awaited is the number of users that are left out until their passwords are hashed. A password whose Secret
	// could not be read does not count, since it may never be hashed.
	awaited int
	// unknown is true while there are pods, and a configuration written now would log users out only because their
	// passwords are not hashed yet.
	unknown bool
}

// userSecrets is what is known of the users' passwords before any Secret is read.
type userSecrets struct {
	// former are the hashes in the config Secret, by user, and sources the digests of where they come from.
	former  map[string]string
	sources passwords.Sources
	// hashed are the passwords that were read and hashed in this pass: the cache may know an older version of their
	// Secrets.
	hashed map[passwords.Key]bool
}

// findUsers finds the known hashes of the users' passwords, for the present versions of their Secrets. It reads no
// Secret and computes no hash. For a password that has yet to be read or hashed, or that has been missing for less than
// replaceTime, the former hash is used. A user whose password is missing or unusable is left out, and the report says
// why; the other users are not affected. hashed are the passwords that were hashed in this pass.
func findUsers(ctx context.Context, s scope, o *observed, hashed map[passwords.Key]bool) (accounts, error) {
	all := accounts{report: status.Users{Anonymous: s.server.Spec.Anonymous.Enabled}, asked: map[string][]passwords.User{}}
	s.passwords.Keep(s.server)
	known := userSecrets{hashed: hashed}
	known.former, known.sources = formerHashes(o)
	for _, user := range s.server.Spec.Users {
		version, err := secretVersion(ctx, s, user.PasswordSecretRef.Name)
		if err != nil {
			return accounts{}, err
		}
		all.addUser(ctx, s, user, version, known)
	}
	return all, nil
}

func (all *accounts) addUser(ctx context.Context, s scope, user v1alpha1.User, version passwords.Version, secrets userSecrets) {
	key, former := passwords.KeyOf(user), secrets.former[user.Name]
	known, recalled := s.passwords.Recall(s.server.UID, key)
	if !recalled && version != (passwords.Version{}) && former != "" && secrets.sources[passwords.Digest(key, version, former)] {
		known, recalled = passwords.Known{Version: version, Hash: former}, true // hashed by an earlier operator process
		s.passwords.Remember(s.server.UID, key, known)
	}
	if known.Hash != "" {
		former = known.Hash
	}
	switch {
	case version == (passwords.Version{}):
		known.Problem = &status.UserProblem{Missing: true, Message: fmt.Sprintf("there is no Secret %s/%s%s; make it, with the password under key %q",
			s.server.Namespace, key.Secret, withLabel(s), key.Key)}
	case !recalled || known.Version != version && !secrets.hashed[key]:
		all.ask(ctx, s, user, passwords.User{Key: key, Former: former})
		return
	case known.Problem != nil && known.Version == (passwords.Version{}):
		known.Problem = &status.UserProblem{Missing: true, Message: fmt.Sprintf("there is no Secret %s/%s%s any more; make it, with the password under key %q",
			s.server.Namespace, key.Secret, withLabel(s), key.Key)}
	case known.Problem != nil:
		known.Problem = &status.UserProblem{Missing: known.Problem.Missing,
			Message: fmt.Sprintf("key %q of Secret %s/%s %s", key.Key, s.server.Namespace, key.Secret, known.Problem.Message)}
	default:
		s.passwords.Found(s.server.UID, user.Name)
		all.addReady(user, known.Hash)
		all.sources = append(all.sources, passwords.Digest(key, known.Version, known.Hash))
		return
	}
	all.leaveOut(s, user, *known.Problem, former)
}

func (all *accounts) addReady(user v1alpha1.User, hash string) {
	all.ready = append(all.ready, resources.DaemonUser(user, hash))
	all.report.Ready = append(all.report.Ready, user.Name)
}

// ask adds a user whose password must be read and hashed. Until then the former hash serves, if there is one.
func (all *accounts) ask(ctx context.Context, s scope, user v1alpha1.User, asked passwords.User) {
	all.asked[asked.Key.Secret] = append(all.asked[asked.Key.Secret], asked)
	failure := s.passwords.Failure(s.server.UID, asked.Key)
	if failure != nil {
		log.FromContext(ctx).Error(failure, "a password can't be read; trying again", "user", user.Name)
	}
	if asked.Former != "" {
		all.addReady(user, asked.Former)
		return
	}
	if failure == nil {
		all.awaited++
	}
	all.report.Hashing = append(all.report.Hashing, user.Name)
}

// leaveOut leaves out a user whose password is missing or unusable. If it is missing, the former hash is used until
// replaceTime has passed.
func (all *accounts) leaveOut(s scope, user v1alpha1.User, problem status.UserProblem, former string) {
	problem.User = user.Name
	if problem.Missing && former != "" {
		now := s.Clock.Now()
		until := s.passwords.MissingSince(s.server.UID, user.Name, now).Add(replaceTime)
		if left := until.Sub(now); left > 0 {
			all.lookAgain(left)
			problem.Message = fmt.Sprintf("the former password of user %s serves until %s, for %s", user.Name, until.UTC().Format(time.TimeOnly+"Z"), problem.Message)
			all.report.Replacing = append(all.report.Replacing, problem)
			all.addReady(user, former)
			return
		}
	}
	problem.Message = fmt.Sprintf("user %s can't log in: %s", user.Name, problem.Message)
	all.report.Problems = append(all.report.Problems, problem)
}

// awaitHashes requests the hashes in all.asked and waits for up to HashPatience. Hashes that are ready by then are
// written and reported in this pass, the others in a later one. Routing must not wait, and does not depend on the
// configuration, so it is brought up to date first. What that finds is among the findings of the result: a child that
// another client changes too may be as desired when the pass comes to it again.
func awaitHashes(ctx context.Context, s scope, o *observed, ports portDecision, plan portplan.Plan, all accounts) (accounts, error) {
	if len(all.asked) == 0 {
		return all, nil
	}
	balancer := loadBalancer(ctx, s, o, ports, plan)
	routed, err := routePods(ctx, s, o, routing{plan: plan, warmUp: warmUp(s, o, balancer)})
	if err != nil {
		return accounts{findings: routed.findings}, err
	}
	ref := passwords.ServerRef{UID: s.server.UID, Name: client.ObjectKeyFromObject(s.server)}
	s.hasher.Ask(ref, all.asked)
	var hashed map[passwords.Key]bool
	if s.hasher.Wait(ctx, s.server.UID, s.HashPatience) {
		// The hashes may belong to a newer version of the Secret than the cache knows.
		hashed = map[passwords.Key]bool{}
		for _, users := range all.asked {
			for _, user := range users {
				hashed[user.Key] = s.passwords.Failure(s.server.UID, user.Key) == nil
			}
		}
	}
	all, err = findUsers(ctx, s, o, hashed)
	all.add(routed.findings)
	if err == nil && len(all.asked) > 0 {
		all.lookAgain(hashProgress)
		lost := o.child(children.KindSecret).State != children.Ours && all.awaited > 0
		none := len(all.report.Hashing) > 0 && len(all.ready) == 0
		all.unknown = len(o.pods) > 0 && (lost || none)
	}
	return all, err
}

// formerHashes returns the hashes in the config Secret, by user, and the digests of their sources.
func formerHashes(o *observed) (map[string]string, passwords.Sources) {
	if o.child(children.KindSecret).State != children.Ours {
		return nil, nil
	}
	secret := o.secret()
	hashes := config.PasswordHashes(secret.Data[resources.ConfigKey])
	for user, hash := range hashes {
		if !passhash.IsHash(hash) {
			delete(hashes, user) // edited by hand
		}
	}
	return hashes, passwords.ReadSources(secret.Annotations[v1alpha1.PasswordSourcesAnnotation])
}

// withLabel names the label that Secrets must carry, if the policy requires one. The message for a Secret without the
// label is the same as for a Secret that does not exist.
func withLabel(s scope) string {
	if !s.Policy.RequireSecretLabel {
		return ""
	}
	return fmt.Sprintf(" with the label %s: \"true\"", v1alpha1.AllowLabel)
}

// secretVersion reads the version of a Secret from the cache, which holds only the metadata of Secrets. A Secret that
// the policy does not allow counts as missing.
func secretVersion(ctx context.Context, s scope, name string) (passwords.Version, error) {
	meta := &metav1.PartialObjectMetadata{}
	meta.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(children.KindSecret))
	err := s.Client.Get(ctx, types.NamespacedName{Namespace: s.server.Namespace, Name: name}, meta)
	if apierrors.IsNotFound(err) {
		return passwords.Version{}, nil
	}
	if err != nil {
		return passwords.Version{}, fmt.Errorf("looking for Secret %s/%s: %w", s.server.Namespace, name, err)
	}
	if !s.Policy.AllowsSecret(meta.Labels) {
		return passwords.Version{}, nil
	}
	return passwords.Version{UID: meta.UID, ResourceVersion: meta.ResourceVersion}, nil
}
