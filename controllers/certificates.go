package controllers

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/certificate"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// certificates are what pods get of spec.tls, and what is to be told of it.
type certificates struct {
	pairs    []resources.Certificate
	clientCA []byte
	// wanting is true if something without which the server is not what is declared was never there.
	wanting bool
	report  status.Certificates
}

// certificates reads the Secrets that spec.tls names. In place of one that is missing or unusable
// its last good content goes on serving, which the config Secret holds.
func (p *pass) certificates(ctx context.Context) (certificates, error) {
	var all certificates
	if !resources.TLSDeclared(p.server) {
		return all, nil
	}
	spec := p.server.Spec.TLS
	all.report.Declared = true
	reader := secretReader{pass: p, read: map[string]*corev1.Secret{}}

	var pairs []*certificate.Pair
	add := func(secret, extra string, hosts []v1alpha1.HostPattern) error {
		pair, problem, err := reader.pair(ctx, secret, extra)
		if err != nil {
			return err
		}
		if problem != nil {
			all.report.Problems = append(all.report.Problems, *problem)
		}
		if pair == nil {
			return nil
		}
		pairs = append(pairs, pair)
		all.pairs = append(all.pairs, resources.Certificate{
			Extra: extra, Hosts: texts(hosts), CertPEM: pair.CertPEM, KeyPEM: pair.KeyPEM,
		})
		all.report.InUse = append(all.report.InUse, status.Certificate{
			Secret: secret, Names: pair.Names(), NotBefore: pair.Leaf.NotBefore, NotAfter: pair.Leaf.NotAfter,
		})
		return nil
	}
	if err := add(spec.SecretName, "", nil); err != nil {
		return all, err
	}
	all.wanting = len(pairs) == 0
	if all.wanting {
		return all, nil // the extra ones are extra to it
	}
	for _, extra := range spec.ExtraCertificates {
		if err := add(extra.SecretName, extra.SecretName, extra.Hosts); err != nil {
			return all, err
		}
	}
	if spec.ClientCA != nil {
		ca, problem, err := reader.clientCA(ctx, spec.ClientCA.SecretName)
		if err != nil {
			return all, err
		}
		if problem != nil {
			all.report.Problems = append(all.report.Problems, *problem)
		}
		all.clientCA, all.wanting = ca, ca == nil
	}
	for _, host := range p.hostNames() {
		if !slices.ContainsFunc(pairs, func(pair *certificate.Pair) bool { return pair.Covers(host) }) {
			all.report.Uncovered = append(all.report.Uncovered, host)
		}
	}
	return all, nil
}

// hostNames are those by which clients are known to dial the server: spec.hosts, else the name
// that is advertised by the spec. The name of a load balancer is nobody's to have a certificate for.
func (p *pass) hostNames() []string {
	if hosts := p.server.Spec.Hosts; len(hosts) > 0 {
		return texts(hosts)
	}
	if name := p.server.Spec.Passive.AdvertisedAddress; resources.IsHostName(name) {
		return []string{name}
	}
	return nil
}

// secretReader reads Secrets live, each once.
type secretReader struct {
	*pass
	read map[string]*corev1.Secret
}

// secret is nil if there is none.
func (r secretReader) secret(ctx context.Context, name string) (*corev1.Secret, error) {
	if known, ok := r.read[name]; ok {
		return known, nil
	}
	secret := &corev1.Secret{}
	key := types.NamespacedName{Namespace: r.server.Namespace, Name: name}
	err := r.Live.Get(ctx, key, secret)
	switch {
	case apierrors.IsNotFound(err):
		secret = nil
	case err != nil:
		return nil, fmt.Errorf("reading the certificate in Secret %s: %w", key, err)
	case !r.Policy.AllowsSecret(secret.Labels):
		secret = nil
	default:
		secret = onlyTLS(secret)
	}
	r.read[name] = secret
	return secret, nil
}

// onlyTLS leaves of a Secret what may be used of it: a pass holds the Secrets of all certificates at once, each of which
// may hold 1 MiB of something else.
func onlyTLS(secret *corev1.Secret) *corev1.Secret {
	slim := &corev1.Secret{}
	slim.Namespace, slim.Name, slim.Data = secret.Namespace, secret.Name, map[string][]byte{}
	for _, key := range []string{corev1.TLSCertKey, corev1.TLSPrivateKeyKey, certificate.CAKey} {
		if value, there := secret.Data[key]; there {
			slim.Data[key] = value
		}
	}
	return slim
}

// former is what the config Secret holds under the keys.
func (r secretReader) former(keys ...string) [][]byte {
	if r.observed.secretChild.state != ours {
		return nil
	}
	var values [][]byte
	for _, key := range keys {
		values = append(values, r.observed.secret().Data[key])
	}
	return values
}

// pair is the certificate of a Secret, or its former one; nil if there never was one.
func (r secretReader) pair(ctx context.Context, name, extra string) (*certificate.Pair, *status.CertificateProblem, error) {
	secret, err := r.secret(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	var former *certificate.Pair
	if values := r.former(resources.CertificateKeys(extra)); values != nil {
		former, _ = certificate.Read(map[string][]byte{corev1.TLSCertKey: values[0], corev1.TLSPrivateKeyKey: values[1]})
	}
	problem := func(reason, message string) *status.CertificateProblem {
		return &status.CertificateProblem{Secret: name, Reason: reason, Message: message, FormerServes: former != nil}
	}
	if secret == nil {
		return former, problem(status.ReasonCertificateMissing, fmt.Sprintf(
			"there is no Secret %s/%s%s; make it, of type kubernetes.io/tls", r.server.Namespace, name, r.withLabel())), nil
	}
	pair, unfit := certificate.Read(secret.Data)
	if unfit != nil {
		return former, problem(reasonOf(unfit), fmt.Sprintf("Secret %s/%s: %s", secret.Namespace, name, unfit.Message)), nil
	}
	now := r.Clock.Now()
	if pair.Expired(now) && former != nil && !former.Expired(now) {
		return former, problem(status.ReasonCertificateExpired, fmt.Sprintf(
			"Secret %s/%s: its certificate ended on %s; renew it", secret.Namespace, name, status.Day(pair.Leaf.NotAfter))), nil
	}
	return pair, nil, nil
}

// clientCA are the authorities of a Secret, or its former ones; nil if there never were any.
func (r secretReader) clientCA(ctx context.Context, name string) ([]byte, *status.CertificateProblem, error) {
	secret, err := r.secret(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	var former []byte
	if values := r.former(resources.ClientCAKey); values != nil {
		former, _ = certificate.ReadCA(map[string][]byte{certificate.CAKey: values[0]})
	}
	problem := &status.CertificateProblem{Secret: name, FormerServes: former != nil}
	if secret == nil {
		problem.Reason = status.ReasonCertificateMissing
		problem.Message = fmt.Sprintf("there is no Secret %s/%s%s; make it, with the clients' authorities under key %q",
			r.server.Namespace, name, r.withLabel(), certificate.CAKey)
		return former, problem, nil
	}
	ca, unfit := certificate.ReadCA(secret.Data)
	if unfit == nil {
		return ca, nil, nil
	}
	problem.Reason = reasonOf(unfit)
	problem.Message = fmt.Sprintf("Secret %s/%s: %s", secret.Namespace, name, unfit.Message)
	return former, problem, nil
}

func reasonOf(p *certificate.Problem) string {
	if p.Missing {
		return status.ReasonCertificateMissing
	}
	return status.ReasonCertificateInvalid
}

func texts(hosts []v1alpha1.HostPattern) []string {
	var out []string
	for _, host := range hosts {
		out = append(out, string(host))
	}
	return out
}
