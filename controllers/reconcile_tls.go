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
	"github.com/ftp-operator/ftp-operator/controllers/children"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// certificates is what pods get from spec.tls, and what the status reports about it.
type certificates struct {
	pairs    []resources.Certificate
	clientCA []byte
	// wanting is true if the server certificate or the client CA is declared and neither it nor a former one exists.
	wanting bool
	report  status.Certificates
}

// findCertificates reads the Secrets that spec.tls names. If a Secret is missing or unusable, its last good content,
// which the config Secret holds, stays in use.
func findCertificates(ctx context.Context, s scope, o *observed) (certificates, error) {
	var all certificates
	if !resources.TLSDeclared(s.server) {
		return all, nil
	}
	spec := s.server.Spec.TLS
	all.report.Declared = true
	reader := secretReader{scope: s, observed: o, read: map[string]*corev1.Secret{}}

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
		return all, nil // extra certificates are of no use without it
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
	for _, host := range hostNames(s.server) {
		if !slices.ContainsFunc(pairs, func(pair *certificate.Pair) bool { return pair.Covers(host) }) {
			all.report.Uncovered = append(all.report.Uncovered, host)
		}
	}
	return all, nil
}

// hostNames returns the host names by which clients are known to dial the server: spec.hosts, or else the advertised
// address of the spec if it is a host name. A load balancer's host name does not count: no certificate is expected
// for it.
func hostNames(server *v1alpha1.FtpServer) []string {
	if hosts := server.Spec.Hosts; len(hosts) > 0 {
		return texts(hosts)
	}
	if name := server.Spec.Passive.AdvertisedAddress; resources.IsHostName(name) {
		return []string{name}
	}
	return nil
}

// secretReader reads Secrets from the API server, each of them once.
type secretReader struct {
	scope
	observed *observed
	read     map[string]*corev1.Secret
}

// secret returns the Secret of that name; nil if it does not exist or the policy does not allow it.
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

// onlyTLS reduces a Secret to the keys that are used. A pass holds the Secrets of all certificates at once, and each
// may hold 1 MiB of other data.
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

// former returns the values that the config Secret holds under the keys; nil if that Secret is not ours or does not
// exist.
func (r secretReader) former(keys ...string) [][]byte {
	if r.observed.child(children.KindSecret).State != children.Ours {
		return nil
	}
	var values [][]byte
	for _, key := range keys {
		values = append(values, r.observed.secret().Data[key])
	}
	return values
}

// pair returns the certificate in a Secret, or the former one if the Secret is missing or unusable; nil if there is
// neither.
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
			"there is no Secret %s/%s%s; make it, of type kubernetes.io/tls", r.server.Namespace, name, withLabel(r.scope))), nil
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

// clientCA returns the authorities' certificates in a Secret, or the former ones if the Secret is missing or
// unusable; nil if there are neither.
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
			r.server.Namespace, name, withLabel(r.scope), certificate.CAKey)
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
