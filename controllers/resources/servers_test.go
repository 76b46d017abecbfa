package resources_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// sample is a server and what was observed of it.
type sample struct {
	in    resources.Inputs
	users []config.User
	pods  []resources.PodRoute
}

// samples returns servers of very different kinds.
func samples() map[string]sample {
	return map[string]sample{
		"minimal":        minimal(),
		"everything":     everything(),
		"nodeport":       nodePort(),
		"three-replicas": threeReplicas(),
		"rwo-claim":      rwoClaim(),
		"clusterip":      clusterIP(),
		"ftps":           ftps(),
		"guarded":        guarded(),
		"autoscaled":     autoscaled(),
	}
}

func newSample(spec v1alpha1.FtpServerSpec) sample {
	return sample{in: resources.Inputs{
		Server: &v1alpha1.FtpServer{
			ObjectMeta: metav1.ObjectMeta{Name: "files", Namespace: "team-a", UID: "11111111-2222-3333-4444-555555555555"},
			Spec:       spec,
		},
		Image:         "example.com/ftp-operator:v1",
		Operator:      resources.Operator{Namespace: "ftp-operator-system", PodLabels: map[string]string{"app.kubernetes.io/name": "ftp-operator"}},
		Exposed:       config.PortRange(30000, 30003),
		TemplateRange: "30000-30003",
	}}
}

func pod(name, ip string, ports config.PortSet) resources.PodRoute {
	return resources.PodRoute{
		Name: name, UID: "uid-of-" + name, Namespace: "team-a", IPs: []string{ip}, Node: "node-1",
		Ports: ports, Ready: true, Serving: true,
	}
}

// minimal is a server with as few fields as the API accepts, without the API server's defaults.
func minimal() sample {
	s := newSample(v1alpha1.FtpServerSpec{Storage: v1alpha1.StorageSpec{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
	s.pods = []resources.PodRoute{pod("files-0", "10.1.0.5", config.PortRange(30000, 30001))}
	return s
}

// everything is a server with every field set that has an effect.
func everything() sample {
	size := resource.MustParse("1Gi")
	s := newSample(v1alpha1.FtpServerSpec{
		Replicas: new(int32(1)),
		Image:    "example.com/ftpd:custom",
		Service: v1alpha1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, Port: 2100, NodePort: new(int32(30081)),
			ExternalTrafficPolicy:         corev1.ServiceExternalTrafficPolicyLocal,
			Annotations:                   map[string]string{"lb.example.com/pool": "blue", v1alpha1.PassivePortsAnnotation: "1-9"},
			Labels:                        map[string]string{"team": "a", v1alpha1.ServerLabel: "stolen"},
			LoadBalancerClass:             new("example.com/lb"),
			LoadBalancerSourceRanges:      []string{"203.0.113.77/24", "2001:db8::/32"},
			AllocateLoadBalancerNodePorts: new(true),
			IPFamilyPolicy:                new(corev1.IPFamilyPolicyPreferDualStack),
		},
		Passive: v1alpha1.PassiveSpec{AdvertisedAddress: "ftp.example.com"},
		Charset: "latin1",
		Active:  v1alpha1.ActiveSpec{Enabled: true},
		Users: []v1alpha1.User{
			{Name: "alice"},
			{Name: "bob", Home: "shared/in", Access: v1alpha1.AccessUploadOnly},
		},
		Anonymous: v1alpha1.AnonymousSpec{Enabled: true, Home: "pub"},
		Storage:   v1alpha1.StorageSpec{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory, SizeLimit: &size}},
		Template: v1alpha1.PodTemplateSpec{
			Metadata: v1alpha1.EmbeddedMetadata{
				Labels:      map[string]string{"team": "a", "app.kubernetes.io/name": "stolen"},
				Annotations: map[string]string{"note": "kept", v1alpha1.PassivePortsAnnotation: "30000"},
			},
			Resources: corev1.ResourceRequirements{
				Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("32Mi")},
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")},
			},
			NodeSelector: map[string]string{"disk": "fast"},
			Tolerations:  []corev1.Toleration{{Key: "ftp", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}},
			Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
				RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
					MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "zone", Operator: corev1.NodeSelectorOpIn, Values: []string{"a"}}},
				}}},
			}},
			TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{
				MaxSkew: 2, TopologyKey: "rack", WhenUnsatisfiable: corev1.DoNotSchedule,
				LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}},
			}},
			PriorityClassName:             "important",
			ImagePullSecrets:              []corev1.LocalObjectReference{{Name: "registry"}},
			ImagePullPolicy:               corev1.PullAlways,
			TerminationGracePeriodSeconds: new(int64(30)),
		},
	})
	s.in.AdvertisedAddress = "ftp.example.com"
	s.in.ServiceIPFamilies = []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}
	for _, u := range s.in.Server.Spec.Users {
		s.users = append(s.users, resources.DaemonUser(u, bcryptHash))
	}
	s.pods = []resources.PodRoute{pod("files-0", "10.1.0.5", config.PortRange(30000, 30001))}
	s.pods[0].IPs = append(s.pods[0].IPs, "fd00::5")
	s.pods[0].Zone = "zone-a"
	return s
}

// nodePort is a server of type NodePort whose control port gets its node port from the cluster.
func nodePort() sample {
	s := newSample(v1alpha1.FtpServerSpec{
		Service: v1alpha1.ServiceSpec{Type: corev1.ServiceTypeNodePort, Port: 21},
		Storage: v1alpha1.StorageSpec{EmptyDir: &corev1.EmptyDirVolumeSource{}},
	})
	s.in.AdvertisedAddress = "203.0.113.8"
	return s
}

// threeReplicas is a server in the middle of a rollout: one pod drains, one has no ports yet, and the exposed ports
// have a gap.
func threeReplicas() sample {
	s := newSample(v1alpha1.FtpServerSpec{
		Replicas: new(int32(3)),
		Service:  v1alpha1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Port: 21},
		Storage:  v1alpha1.StorageSpec{PersistentVolumeClaim: &v1alpha1.ClaimReference{ClaimName: "shared"}},
	})
	s.in.ClaimAccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
	s.in.AdvertisedAddress = "192.0.2.7"
	s.in.Exposed = config.NewPortSet(30000, 30001, 30002, 30003, 30010, 30020, 30021)
	draining := pod("files-1", "10.1.0.6", config.NewPortSet(30010, 30020, 30021))
	draining.Ready, draining.Terminating = false, true
	waiting := pod("files-2", "10.1.0.7", nil)
	waiting.Ready, waiting.Serving = false, false
	s.pods = []resources.PodRoute{pod("files-0", "10.1.0.5", config.PortRange(30000, 30001)), draining, waiting}
	return s
}

// autoscaled is a server whose replicas an autoscaler sets at the Deployment, and that has a disruption budget of its
// own.
func autoscaled() sample {
	s := threeReplicas()
	s.pods = nil
	s.in.ScaledBy = "kube-controller-manager"
	s.in.Server.Spec.Drain = v1alpha1.DrainSpec{LameDuck: "20s", Idle: "1m"}
	s.in.Server.Spec.PodDisruptionBudget.MaxUnavailable = new(intstr.FromString("34%"))
	return s
}

// rwoClaim is a server with storage that one node at a time can mount, and that is deleted with the server.
func rwoClaim() sample {
	return newSample(v1alpha1.FtpServerSpec{
		Service: v1alpha1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Port: 21},
		Storage: v1alpha1.StorageSpec{VolumeClaimTemplate: &v1alpha1.VolumeClaimTemplate{
			Metadata:    v1alpha1.EmbeddedMetadata{Labels: map[string]string{"backup": "daily"}, Annotations: map[string]string{"note": "kept"}},
			WhenDeleted: v1alpha1.RetentionDelete,
			Spec: corev1.PersistentVolumeClaimSpec{
				AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				StorageClassName: new("fast"),
				Resources: corev1.VolumeResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("10Gi")},
				},
			},
		}},
	})
}

// clusterIP is a server that is reachable in the cluster only and has no NetworkPolicy.
func clusterIP() sample {
	s := newSample(v1alpha1.FtpServerSpec{
		Service:       v1alpha1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, Port: 21},
		Storage:       v1alpha1.StorageSpec{EmptyDir: &corev1.EmptyDirVolumeSource{}},
		NetworkPolicy: v1alpha1.NetworkPolicySpec{Enabled: new(false)},
	})
	s.in.AdvertisedAddress = "10.96.0.17"
	return s
}

// guarded is a server that allows only one network, has active mode enabled, and is scraped for metrics.
func guarded() sample {
	s := newSample(v1alpha1.FtpServerSpec{
		Service: v1alpha1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Port: 21, LoadBalancerSourceRanges: []string{"198.51.100.0/24"}},
		Active:  v1alpha1.ActiveSpec{Enabled: true},
		Storage: v1alpha1.StorageSpec{EmptyDir: &corev1.EmptyDirVolumeSource{}},
		NetworkPolicy: v1alpha1.NetworkPolicySpec{
			AllowedNetworks: []v1alpha1.Network{"203.0.113.0/24", "2001:db8::7"},
			MetricsFrom: []v1alpha1.PodPeer{
				{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: "monitoring"}},
					PodSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "app", Operator: metav1.LabelSelectorOpIn, Values: []string{"prometheus"}}}}},
				{PodSelector: &metav1.LabelSelector{}},
			},
		},
	})
	s.in.AdvertisedAddress = "ftp.example.com"
	return s
}

// bcryptHash is the hash of "password".
const bcryptHash = "$2a$04$Q7hB33qfIy.1.oOj.pROs.ZUX0oCfhvjbQbZiGipme0XEJGeO16J2"

// configFile returns the sample's configuration file.
func (s sample) configFile(t testing.TB) []byte {
	t.Helper()
	file, err := resources.DaemonConfig(s.in, s.users).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return file
}
