package cel

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

// TestDaemonTakesWhatIsAccepted: the daemon accepts every configuration that the API accepts, since an accepted
// server would never work otherwise.
func TestDaemonTakesWhatIsAccepted(t *testing.T) {
	hash, err := passhash.Hash("secret")
	if err != nil {
		t.Fatal(err)
	}
	for name, spec := range allAccepted() {
		var s v1alpha1.FtpServer
		u := server(t, spec)
		if err := dryRun(t.Context(), u); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		convert(t, u, &s)
		in := resources.Inputs{
			Server:            &s,
			AdvertisedAddress: s.Spec.Passive.AdvertisedAddress,
			ServiceIngress:    []corev1.LoadBalancerIngress{{IP: "203.0.113.10"}},
			Certificates:      []resources.Certificate{{CertPEM: []byte("certificate"), KeyPEM: []byte("key")}},
			ClientCA:          []byte("authorities"),
		}
		var users []config.User
		for _, user := range s.Spec.Users {
			users = append(users, resources.DaemonUser(user, hash))
		}
		file, err := resources.DaemonConfig(in, users).Marshal()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := config.Parse(file); err != nil {
			t.Errorf("%s: accepted by the API, refused by the daemon: %v", name, err)
		}
	}
}
