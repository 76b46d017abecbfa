package status

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// These are the reasons of the CertificateReady condition.
const (
	ReasonTLSDisabled            = "TLSDisabled"
	ReasonCertificateValid       = "CertificateValid"
	ReasonCertificateMissing     = "CertificateMissing"
	ReasonCertificateInvalid     = "CertificateInvalid"
	ReasonCertificateExpired     = "CertificateExpired"
	ReasonCertificateNotYetValid = "CertificateNotYetValid"
	ReasonCertificateEndsSoon    = "CertificateEndsSoon"
	ReasonHostNotCovered         = "HostNotCovered"
)

// Certificates describes the certificates that spec.tls names.
type Certificates struct {
	// Declared is true if the spec enables TLS.
	Declared bool
	// InUse are the certificates that pods get.
	InUse []Certificate
	// Problems are the problems of the Secrets that can't be used.
	Problems []CertificateProblem
	// Uncovered are the server's host names for which none of InUse is valid.
	Uncovered []string
}

// Certificate is a certificate that pods get.
type Certificate struct {
	// Secret is the name of the Secret that the certificate comes from. The Secret may have become unusable since.
	Secret string
	// Names are the hosts and addresses that the certificate names.
	Names               []string
	NotBefore, NotAfter time.Time
}

// CertificateProblem says why a Secret can't be used.
type CertificateProblem struct {
	Secret string
	// Reason is a reason of the CertificateReady condition.
	Reason string
	// Message says what is wrong and what to do. It never contains any part of a key.
	Message string
	// FormerServes is true if pods still get the former, good content.
	FormerServes bool
}

// Day formats a time for messages.
func Day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// endsSoon reports whether a certificate is so close to its end that the condition warns: two weeks, or the last
// fifth of a shorter lifetime. Tools that renew certificates automatically do so earlier.
func (c Certificate) endsSoon(now time.Time) bool {
	return c.NotAfter.Sub(now) < min(14*24*time.Hour, c.NotAfter.Sub(c.NotBefore)/5)
}

// certificateReady is True if every certificate that spec.tls names was found, is good and is valid for the server's
// hosts. A certificate that ends soon, or lacks a host, is in use, but makes the condition False.
func certificateReady(o Observed, now time.Time) metav1.Condition {
	const kind = v1alpha1.ConditionCertificateReady
	if !o.Certificates.Declared {
		return condition(kind, metav1.ConditionTrue, ReasonTLSDisabled, "spec.tls asks for no TLS: passwords and files go in clear text")
	}
	if n := len(o.Certificates.Problems); n > 0 {
		first := o.Certificates.Problems[0]
		message := first.Message
		switch {
		case first.FormerServes:
			message += "; what was there before serves on"
		case o.ConfigHash == "":
			message += "; the server starts once that is done"
		default:
			message += "; until then the server goes on without"
		}
		if n > 1 {
			var others []string
			for _, p := range o.Certificates.Problems[1:] {
				others = append(others, p.Secret)
			}
			message += fmt.Sprintf("; likewise: %s", list(others))
		}
		return condition(kind, metav1.ConditionFalse, first.Reason, message)
	}
	for _, c := range o.Certificates.InUse {
		switch {
		case now.After(c.NotAfter):
			return condition(kind, metav1.ConditionFalse, ReasonCertificateExpired, fmt.Sprintf(
				"the certificate in Secret %s ended on %s, and clients refuse it: renew it", c.Secret, Day(c.NotAfter)))
		case now.Before(c.NotBefore):
			return condition(kind, metav1.ConditionFalse, ReasonCertificateNotYetValid, fmt.Sprintf(
				"the certificate in Secret %s begins on %s, and clients refuse it until then", c.Secret, Day(c.NotBefore)))
		}
	}
	for _, c := range o.Certificates.InUse {
		if c.endsSoon(now) {
			return condition(kind, metav1.ConditionFalse, ReasonCertificateEndsSoon, fmt.Sprintf(
				"the certificate in Secret %s ends on %s: renew it", c.Secret, Day(c.NotAfter)))
		}
	}
	if len(o.Certificates.Uncovered) > 0 {
		return condition(kind, metav1.ConditionFalse, ReasonHostNotCovered, fmt.Sprintf(
			"no certificate is for %s, so clients that check will refuse it (there is one for %s): issue one for all names of the server, or change spec.hosts",
			list(o.Certificates.Uncovered), o.Certificates.names()))
	}
	return condition(kind, metav1.ConditionTrue, ReasonCertificateValid, fmt.Sprintf(
		"certificate for %s, good until %s", o.Certificates.names(), Day(o.Certificates.notAfter())))
}

// names lists the hosts and addresses of all certificates in use.
func (c Certificates) names() string {
	var names []string
	for _, one := range c.InUse {
		names = append(names, one.Names...)
	}
	if len(names) == 0 {
		return "no host"
	}
	return strings.ToValidUTF8(list(names), "?")
}

// notAfter returns the earliest end of the certificates in use; the zero time if there is none.
func (c Certificates) notAfter() time.Time {
	var first time.Time
	for _, one := range c.InUse {
		if first.IsZero() || one.NotAfter.Before(first) {
			first = one.NotAfter
		}
	}
	return first
}
