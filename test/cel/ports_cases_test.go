package cel

func passive(rest string) string { return "passive: {" + rest + "}\n" }

// acceptedPorts are passive ports by range, by count and by default, and addresses that clients are given.
var acceptedPorts = map[string]string{
	"passive without a range":             base + passive("advertisedAddress: 203.0.113.10"),
	"two ports by count":                  base + passive("portCount: 2"),
	"1000 ports by count":                 base + passive("portCount: 1000"),
	"replicas + 1 ports by count":         shared + "replicas: 3\n" + passive("portCount: 4"),
	"a count for NodePort":                base + "service: {type: NodePort, nodePort: 30005}\n" + passive("portCount: 10"),
	"a control port where a range was":    base + "service: {port: 30005}\n" + passive("portCount: 10"),
	"implicit TLS beside a count":         base + "tls: {secretName: a, implicit: {enabled: true, port: 30001, nodePort: 30002}}\nservice: {type: NodePort}\n" + passive("portCount: 10"),
	"the default range for NodePort":      base + "service: {type: NodePort, nodePort: 30032}",
	"31 replicas within the default":      shared + "replicas: 31",
	"an override by the cluster IP":       override("clients: [10.244.0.0/16], addressFrom: ClusterIP"),
	"overrides by cluster IP and by name": override("clients: [10.244.0.0/16], addressFrom: ClusterIP}, {clients: [10.0.0.0/8], address: ftp.internal"),
}

// refusedPorts are such settings that could not work.
var refusedPorts = []refusal{
	refuse("range and count", base+passive("portCount: 10, portRange: {start: 30000, end: 30009}"), "passive.portRange and passive.portCount exclude each other"),
	refuse("one port by count", base+passive("portCount: 1"), "should be greater than or equal to 2", "passive.portCount is too low"),
	refuse("no ports by count", base+passive("portCount: 0"), "should be greater than or equal to 2", "passive.portCount is too low"),
	refuse("1001 ports by count", base+passive("portCount: 1001"), "should be less than or equal to 1000"),
	refuse("as many ports by count as replicas", shared+"replicas: 3\n"+passive("portCount: 3"), "passive.portCount is too low: it needs one port for each replica"),
	refuse("32 replicas within the default", shared+"replicas: 32", "passive.portRange holds too few ports"),
	refuse("control port in the default", base+"service: {port: 30031}\n"+passive("advertisedAddress: a.example"), "the control port lies in the passive range"),
	refuse("control node port in the default", base+"service: {type: NodePort, nodePort: 30000}", "the control node port lies in the passive range"),
	refuse("implicit port in the default", implicit(", port: 30000"), "tls.implicit.port lies in the passive range"),
	refuse("implicit node port in the default", implicit(", nodePort: 30031")+"service: {type: NodePort}", "tls.implicit.nodePort lies in the passive range"),

	refuse("override without an address", override("clients: [10.0.0.0/8]"), "an override names its address in one way"),
	refuse("override with two addresses", override("clients: [10.0.0.0/8], address: 10.0.0.10, addressFrom: ClusterIP"), "an override names its address in one way"),
	refuse("override from elsewhere", override("clients: [10.0.0.0/8], addressFrom: NodeIP"), `Unsupported value: "NodeIP"`),
}
