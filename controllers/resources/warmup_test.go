package resources_test

import (
	"slices"
	"testing"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// While a pod warms up, its passive ports are routed to it, and no control port is.
func TestPodWarmsUp(t *testing.T) {
	s := everything()
	s.in.Server.Spec.TLS = &v1alpha1.TLSSpec{SecretName: "files-tls", Implicit: &v1alpha1.ImplicitTLSSpec{Enabled: true}}
	for warmingUp, want := range map[bool][]string{
		false: {"ftp", "ftps", "p30000", "p30001"},
		true:  {"p30000", "p30001"},
	} {
		one := pod("files-0", "10.1.0.5", config.PortRange(30000, 30001))
		one.WarmingUp = warmingUp
		for _, slice := range resources.EndpointSlices(s.in, one) {
			var names []string
			for _, port := range slice.Ports {
				names = append(names, *port.Name)
			}
			if !slices.Equal(names, want) || !*slice.Endpoints[0].Conditions.Ready {
				t.Errorf("warmingUp %v: ports %v of an endpoint that is ready: %v; want %v", warmingUp, names, *slice.Endpoints[0].Conditions.Ready, want)
			}
		}
	}
}
