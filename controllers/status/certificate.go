package status

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// Reasons of the CertificateReady condition.
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

// Certificates tells of what spec.tls names.
type Certificates struct {
	// Declared is true if the server is to speak TLS.
	Declared bool
	// InUse are those that pods are given.
	InUse []Certificate
	// Problems are those of Secrets that can't be used.
	Problems []CertificateProblem
	// Uncovered are the server's host names that none of InUse is for.
	Uncovered []string
}

// Certificate is one that pods are given.
type Certificate struct {
	// Secret that it is from, or was, if the Secret can't be used any more.
	Secret string
	// Names are the hosts and addresses that it is for.
	Names               []string
	NotBefore, NotAfter time.Time
}

// CertificateProblem says why a Secret can't be used.
type CertificateProblem struct {
	Secret string
	// Reason is one of the condition's.
	Reason string
	// Message says what is wrong and what to do. It never holds anything of a key.
	Message string
	// FormerServes is true if what was good before is still given to pods.
	FormerServes bool
}

// Day is a time as messages show it.
func Day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// endsSoon is how long before its end a certificate is told of: two weeks, or the last fifth of a
// short life. Who renews certificates by machine does so earlier.
func (c Certificate) endsSoon(now time.Time) bool {
	return c.NotAfter.Sub(now) < min(14*24*time.Hour, c.NotAfter.Sub(c.NotBefore)/5)
}

// certificateReady: every certificate that spec.tls names was found, is good and is for the
// server's hosts. One that ends soon, or lacks a host, serves, but is told of.
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

// names of all that are in use.
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

// notAfter is when the first of those in use ends; zero if there is none.
func (c Certificates) notAfter() time.Time {
	var first time.Time
	for _, one := range c.InUse {
		if first.IsZero() || one.NotAfter.Before(first) {
			first = one.NotAfter
		}
	}
	return first
}
