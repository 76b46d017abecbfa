package portrange_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/portrange"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

func set(t *testing.T, text string) config.PortSet {
	t.Helper()
	ports, err := config.ParsePortSet(text)
	if err != nil {
		t.Fatal(err)
	}
	return ports
}

func TestOf(t *testing.T) {
	tests := map[string]struct {
		passive   v1alpha1.PassiveSpec
		allocated string
		want      string
	}{
		"the default":                  {want: "30000-30031"},
		"a record without a count":     {allocated: "30100-30109", want: "30000-30031"},
		"a range":                      {passive: v1alpha1.PassiveSpec{PortRange: v1alpha1.PortRange{Start: 31000, End: 31001}}, want: "31000-31001"},
		"a count, before it is chosen": {passive: v1alpha1.PassiveSpec{PortCount: 10}, want: ""},
		"a count":                      {passive: v1alpha1.PassiveSpec{PortCount: 10}, allocated: "30100-30109", want: "30100-30109"},
		"another count":                {passive: v1alpha1.PassiveSpec{PortCount: 20}, allocated: "30100-30109", want: "30100-30109"},
		"a record that can't be read":  {passive: v1alpha1.PassiveSpec{PortCount: 10}, allocated: "all", want: ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			server := &v1alpha1.FtpServer{Spec: v1alpha1.FtpServerSpec{Passive: tt.passive}}
			server.Status.AllocatedPortRange = tt.allocated
			if got := portrange.Of(server).String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestChoose(t *testing.T) {
	nodePorts := config.Run{First: 30000, Last: 30099}
	tests := map[string]struct {
		count           int
		previous, taken string
		within          []config.Run
		want            string
		longest         int
	}{
		"the lowest":                        {count: 10, want: "30000-30009"},
		"behind what is taken":              {count: 10, taken: "30000-30003,30010", want: "30011-30020"},
		"a gap that just fits":              {count: 6, taken: "30000-30003,30010", want: "30004-30009"},
		"at the very end":                   {count: 10, taken: "30000-30089", want: "30090-30099"},
		"all of it":                         {count: 100, want: "30000-30099"},
		"one too many":                      {count: 101, longest: 100},
		"no run is long enough":             {count: 50, taken: "30040,30080", longest: 40},
		"nothing is free":                   {count: 2, taken: "30000-30099"},
		"the same again":                    {count: 10, previous: "30050-30059", want: "30050-30059"},
		"fewer":                             {count: 5, previous: "30050-30059", want: "30050-30054"},
		"more":                              {count: 15, previous: "30050-30059", want: "30050-30064"},
		"more, to the left":                 {count: 15, previous: "30050-30059", taken: "30062", want: "30045-30059"},
		"more, to the left at the end":      {count: 15, previous: "30090-30099", want: "30085-30099"},
		"more than fits there":              {count: 15, previous: "30050-30059", taken: "30048,30062", want: "30000-30014"},
		"some of what it had is taken":      {count: 10, previous: "30050-30059", taken: "30055", want: "30000-30009"},
		"what it had lies out of bounds":    {count: 10, previous: "29995-30004", want: "30000-30009"},
		"what it had is more than one run":  {count: 10, previous: "30050-30054,30060-30064", want: "30000-30009"},
		"the second bounds":                 {count: 10, taken: "30005", within: []config.Run{{First: 30000, Last: 30009}, {First: 1024, Last: 2000}}, want: "1024-1033"},
		"no run across bounds":              {count: 10, within: []config.Run{{First: 30000, Last: 30005}, {First: 30006, Last: 30011}}, longest: 6},
		"the highest port":                  {count: 2, taken: "65533", within: []config.Run{{First: 65532, Last: 65535}}, want: "65534-65535"},
		"previous just below what is valid": {count: 10, previous: "1024-1025", taken: "1027", within: []config.Run{{First: 1024, Last: 2000}}, want: "1028-1037"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.within == nil {
				tt.within = []config.Run{nodePorts}
			}
			got, longest := portrange.Choose(portrange.Demand{
				Count: tt.count, Previous: set(t, tt.previous), Taken: set(t, tt.taken), Within: tt.within,
			})
			if got.String() != tt.want || longest != tt.longest {
				t.Errorf("got %q and %d, want %q and %d", got, longest, tt.want, tt.longest)
			}
		})
	}
}

// TestChooseProperties: a choice is one run of the right length, free and within bounds; there is a choice exactly if
// there is room; and the same range is chosen again.
func TestChooseProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		port := rapid.Uint16Range(30000, 30039)
		start := port.Draw(t, "previous")
		d := portrange.Demand{
			Count:    rapid.IntRange(2, 12).Draw(t, "count"),
			Previous: config.PortRange(start, start+rapid.Uint16Range(0, 12).Draw(t, "more")),
			Taken:    config.NewPortSet(rapid.SliceOfN(port, 0, 12).Draw(t, "taken")...),
			Within:   []config.Run{{First: 30000, Last: 30039}},
		}
		free := 0
		for _, run := range config.PortRange(30000, 30039).Minus(d.Taken).Runs() {
			free = max(free, int(run.Last-run.First)+1)
		}
		chosen, longest := portrange.Choose(d)
		if chosen == nil {
			if free >= d.Count || longest != free {
				t.Fatalf("nothing chosen, longest run %d, though it is %d", longest, free)
			}
			return
		}
		if free < d.Count || len(chosen) != d.Count || len(chosen.Runs()) != 1 || len(chosen.Intersect(d.Taken)) > 0 ||
			chosen[0] < 30000 || chosen[len(chosen)-1] > 30039 {
			t.Fatalf("chose %s", chosen)
		}
		d.Previous = chosen
		if again, _ := portrange.Choose(d); !again.Equal(chosen) {
			t.Fatalf("chose %s, and then %s", chosen, again)
		}
	})
}

func TestConflicts(t *testing.T) {
	wanted := []portrange.Want{
		{Field: "spec.passive.portRange", Ports: set(t, "30000-30019")},
		{Field: "spec.service.nodePort", Ports: config.PortSet{30021}},
	}
	tests := map[string]struct {
		claims   []portrange.Claim
		describe string
		fields   string
	}{
		"nobody":        {nil, "", ""},
		"not ours":      {[]portrange.Claim{{"Service a/b", set(t, "30020,30022-30030")}}, "", ""},
		"a range":       {[]portrange.Claim{{"FtpServer team-a/files", set(t, "29990-30009")}}, "30000-30009 are held by FtpServer team-a/files", "spec.passive.portRange"},
		"one port":      {[]portrange.Claim{{"Service shop/web", set(t, "30012")}}, "30012 is held by Service shop/web", "spec.passive.portRange"},
		"the node port": {[]portrange.Claim{{"Service shop/web", set(t, "30021")}}, "30021 is held by Service shop/web", "spec.service.nodePort"},
		"several, in order": {[]portrange.Claim{
			{"Service z/z", set(t, "30021")}, {"Service b/b", set(t, "30012")}, {"Service a/a", set(t, "30015,30005")}, {"Service b/b", set(t, "30013")}},
			"30005,30015 are held by Service a/a; 30012-30013 are held by Service b/b; 30021 is held by Service z/z",
			"spec.passive.portRange spec.service.nodePort"},
		"many": {[]portrange.Claim{
			{"a", set(t, "30000")}, {"b", set(t, "30001")}, {"c", set(t, "30002")}, {"d", set(t, "30003")},
			{"e", set(t, "30004")}, {"f", set(t, "30005")}, {"g", set(t, "30006")}},
			"30000 is held by a; 30001 is held by b; 30002 is held by c; 30003 is held by d; 30004 is held by e; and 2 more", "spec.passive.portRange"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := portrange.Conflicts(wanted, tt.claims)
			if text := portrange.Describe(got); text != tt.describe {
				t.Errorf("got  %s\nwant %s", text, tt.describe)
			}
			if fields := strings.Join(portrange.Fields(got), " "); fields != tt.fields {
				t.Errorf("fields %q, want %q", fields, tt.fields)
			}
		})
	}
}

func TestServiceOf(t *testing.T) {
	s := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", Annotations: map[string]string{"metallb.universe.tf/allow-shared-ip": "ftp"}},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, HealthCheckNodePort: 32000,
			Ports: []corev1.ServicePort{
				{Port: 80, NodePort: 30080, Protocol: corev1.ProtocolTCP}, {Port: 53, NodePort: 30053, Protocol: corev1.ProtocolUDP}, {Port: 443},
			},
		},
	}
	got := portrange.ServiceOf(s)
	if got.Holder != "Service shop/web" || got.NodePorts.String() != "30053,30080,32000" || got.SharingKey != "ftp" ||
		!got.Ports.Equal(config.PortSet{80, 443}) {
		t.Errorf("got %+v", got)
	}
	s.Annotations["metallb.io/allow-shared-ip"] = "newer"
	s.OwnerReferences = []metav1.OwnerReference{{Kind: "FtpServer", Name: "files", Controller: new(true)}}
	if got := portrange.ServiceOf(s); got.SharingKey != "newer" || got.Holder != "FtpServer shop/files" {
		t.Errorf("got %+v", got)
	}
	s.Spec.Type = corev1.ServiceTypeNodePort
	if got := portrange.ServiceOf(s); got.SharingKey != "" || len(got.Ports) > 0 {
		t.Errorf("shares an address by type NodePort: %+v", got)
	}
}
