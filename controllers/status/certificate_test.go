package status

import (
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// withTLS returns a healthy server with a certificate of the given age and remaining lifetime.
func withTLS(age, left time.Duration, change ...func(*Observed)) Observed {
	return healthy(append([]func(*Observed){func(o *Observed) {
		o.ImplicitPort = 990
		o.Certificates = Certificates{Declared: true, InUse: []Certificate{{
			Secret: "ftp-tls", Names: []string{"ftp.example.com"}, NotBefore: noon.Add(-age), NotAfter: noon.Add(left),
		}}}
	}}, change...)...)
}

func TestCertificateReady(t *testing.T) {
	const (
		day = 24 * time.Hour
		yes = metav1.ConditionTrue
		no  = metav1.ConditionFalse
	)
	lacking := func(reason string, former bool) func(*Observed) {
		return func(o *Observed) {
			o.Certificates.Problems = []CertificateProblem{{Secret: "ftp-tls", Reason: reason, Message: "Secret default/ftp-tls: x", FormerServes: former}}
		}
	}
	for _, test := range []struct {
		name    string
		o       Observed
		status  metav1.ConditionStatus
		reason  string
		message string
		ready   metav1.ConditionStatus
		judged  status.Status
	}{
		{"no TLS", healthy(), yes, "TLSDisabled", "clear text", yes, status.CurrentStatus},
		{"all well", withTLS(30*day, 60*day), yes, "CertificateValid", "ftp.example.com, good until 2026-11-30 12:00 UTC", yes, status.CurrentStatus},
		{"ends in two weeks", withTLS(76*day, 14*day), yes, "CertificateValid", "", yes, status.CurrentStatus},
		{"ends sooner", withTLS(77*day, 13*day), no, "CertificateEndsSoon", "2026-10-14", yes, status.CurrentStatus},
		{"a short life, young", withTLS(2*time.Hour, 22*time.Hour), yes, "CertificateValid", "", yes, status.CurrentStatus},
		{"a short life, old", withTLS(20*time.Hour, 4*time.Hour), no, "CertificateEndsSoon", "", yes, status.CurrentStatus},
		{"at its end", withTLS(90*day, 0), no, "CertificateEndsSoon", "", yes, status.CurrentStatus},
		{"over", withTLS(90*day, -time.Second), no, "CertificateExpired", "renew it", no, status.FailedStatus},
		{"not yet", withTLS(-time.Hour, 90*day), no, "CertificateNotYetValid", "2026-10-01 13:00 UTC", no, status.InProgressStatus},
		{"not for the host", withTLS(day, 60*day, func(o *Observed) { o.Certificates.Uncovered = []string{"other.example.com"} }), no, "HostNotCovered", "other.example.com", yes, status.CurrentStatus},
		{"a second one is over", withTLS(day, 60*day, func(o *Observed) {
			o.Certificates.InUse = append(o.Certificates.InUse, Certificate{Secret: "extra-tls", NotBefore: noon.Add(-2 * day), NotAfter: noon.Add(-day)})
		}), no, "CertificateExpired", "extra-tls", no, status.FailedStatus},
		{"missing at first", withTLS(0, 0, lacking(ReasonCertificateMissing, false), func(o *Observed) { o.Certificates.InUse, o.ConfigHash = nil, "" }),
			no, "CertificateMissing", "the server starts once", no, status.InProgressStatus},
		{"missing when TLS comes", withTLS(0, 0, lacking(ReasonCertificateMissing, false), func(o *Observed) { o.Certificates.InUse = nil }),
			no, "CertificateMissing", "goes on without", no, status.InProgressStatus},
		{"lost", withTLS(day, 60*day, lacking(ReasonCertificateMissing, true)), no, "CertificateMissing", "what was there before serves on", no, status.InProgressStatus},
		{"spoiled", withTLS(day, 60*day, lacking(ReasonCertificateInvalid, true)), no, "CertificateInvalid", "Secret default/ftp-tls: x; what", no, status.FailedStatus},
		{"several", withTLS(day, 60*day, lacking(ReasonCertificateMissing, true), func(o *Observed) {
			o.Certificates.Problems = append(o.Certificates.Problems, CertificateProblem{Secret: "clients-ca"})
		}), no, "CertificateMissing", "likewise: clients-ca", no, status.InProgressStatus},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := Compute(test.o, noon)
			c := get(s, v1alpha1.ConditionCertificateReady)
			if c.Status != test.status || c.Reason != test.reason || !strings.Contains(c.Message, test.message) {
				t.Errorf("%s (%s): %s; want %s (%s): …%s…", c.Status, c.Reason, c.Message, test.status, test.reason, test.message)
			}
			if got := get(s, "Ready").Status; got != test.ready {
				t.Errorf("Ready is %s, want %s", got, test.ready)
			}
			if got := judge(t, test.o.Server, s); got != test.judged {
				t.Errorf("kstatus calls it %s, want %s", got, test.judged)
			}
		})
	}
}

func TestStatusOfTLS(t *testing.T) {
	s := Compute(withTLS(24*time.Hour, 240*time.Hour), noon)
	if s.FTPSEndpoint != "ftps://203.0.113.10:990" || !s.CertificateNotAfter.Time.Equal(noon.Add(240*time.Hour)) {
		t.Errorf("ftpsEndpoint %q, certificateNotAfter %v", s.FTPSEndpoint, s.CertificateNotAfter)
	}
	if len(s.Endpoints) != 2 || s.Endpoints[1] != (v1alpha1.Endpoint{Scheme: "ftps", Address: "203.0.113.10", Port: 990}) {
		t.Errorf("endpoints %+v", s.Endpoints)
	}
	o := healthy()
	o.Server.Status = s
	if s := Compute(o, noon); len(s.Endpoints) != 1 || s.FTPSEndpoint != "" || s.CertificateNotAfter != nil {
		t.Errorf("without TLS: ftpsEndpoint %q, certificateNotAfter %v", s.FTPSEndpoint, s.CertificateNotAfter)
	}
}

// TestEventsOfCertificates: an end that comes close is reported once, and so is the renewal; the passing of time
// alone gives no event.
func TestEventsOfCertificates(t *testing.T) {
	well := Compute(withTLS(24*time.Hour, 2400*time.Hour), noon)
	soon := Compute(withTLS(2400*time.Hour, 240*time.Hour), noon)
	later := Compute(withTLS(2400*time.Hour, 240*time.Hour), metav1.NewTime(noon.Add(time.Hour)))
	for _, test := range []struct {
		name          string
		before, after v1alpha1.FtpServerStatus
		want          string
	}{
		{"ends soon", well, soon, "CertificateEndsSoon"},
		{"an hour later", soon, later, ""},
		{"renewed", soon, well, "CertificateValid"},
	} {
		got := ""
		for _, e := range Events(test.before, test.after) {
			if e.Warning != (test.want == "CertificateEndsSoon") {
				t.Errorf("%s: %+v", test.name, e)
			}
			got += e.Reason
		}
		if got != test.want {
			t.Errorf("%s: events %q, want %q", test.name, got, test.want)
		}
	}
}
