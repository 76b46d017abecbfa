package cel

import (
	"testing"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

// TestDaemonTakesWhatIsAccepted: the API is no laxer than the daemon, or a server that was accepted would
// never serve.
func TestDaemonTakesWhatIsAccepted(t *testing.T) {
	hash, err := passhash.Hash("secret")
	if err != nil {
		t.Fatal(err)
	}
	for name, spec := range accepted {
		var s v1alpha1.FtpServer
		u := server(t, spec)
		if err := dryRun(t.Context(), u); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		convert(t, u, &s)
		c := config.Config{
			APIVersion: config.APIVersion,
			Storage:    config.Storage{Root: "/data"},
			Passive: config.Passive{
				Ports:             config.PortRange(uint16(s.Spec.Passive.PortRange.Start), uint16(s.Spec.Passive.PortRange.End)),
				AdvertisedAddress: s.Spec.Passive.AdvertisedAddress,
			},
			Anonymous:    config.Anonymous{Enabled: s.Spec.Anonymous.Enabled, Home: s.Spec.Anonymous.Home, Access: config.Access(s.Spec.Anonymous.Access)},
			AdminAddress: ":8021",
		}
		for _, user := range s.Spec.Users {
			c.Users = append(c.Users, config.User{Name: user.Name, PasswordHash: hash, Home: user.Home, Access: config.Access(user.Access)})
		}
		c.SetDefaults()
		if err := c.Validate(); err != nil {
			t.Errorf("%s: accepted by the API, refused by the daemon: %v", name, err)
		}
	}
}
