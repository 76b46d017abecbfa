package cel

// policy returns a spec with a networkPolicy.
func policy(fields string) string { return base + "networkPolicy: {" + fields + "}\n" }

const partners = "allowedNetworks: [203.0.113.0/24, '2001:db8::/32', 198.51.100.7]"

// acceptedNetworkPolicies are policies at the limits of what is allowed.
var acceptedNetworkPolicies = map[string]string{
	"a policy as it comes":             policy(""),
	"no policy":                        policy("enabled: false"),
	"allowed networks by default":      policy(partners),
	"allowed networks, daemons only":   policy("enabled: false, " + partners),
	"allowed networks under Local":     policy(partners) + "service: {type: NodePort, externalTrafficPolicy: Local}",
	"allowed networks in the cluster":  shared + "networkPolicy: {" + partners + "}\nreplicas: 3\nservice: {type: ClusterIP}",
	"allowed networks behind a proxy":  shared + "networkPolicy: {" + partners + "}\nreplicas: 3\nservice: {proxyProtocol: {trusted: [10.0.0.0/8]}}",
	"no allowed networks, Cluster":     shared + "networkPolicy: {allowedNetworks: []}\nreplicas: 3",
	"metrics from everywhere":          policy("metricsFrom: [{namespaceSelector: {}}]"),
	"metrics from a namespace's pods":  policy("metricsFrom: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}, podSelector: {matchExpressions: [{key: app, operator: In, values: [prometheus]}]}}]"),
	"metrics from neighbours":          policy("metricsFrom: [{podSelector: {}}]"),
	"no policy and no metrics from it": policy("enabled: false, metricsFrom: []"),
}

// refusedNetworkPolicies are policies that could not work.
var refusedNetworkPolicies = []refusal{
	refuse("allowed networks with two replicas", shared+"networkPolicy: {"+partners+"}\nreplicas: 2", "networkPolicy.allowedNetworks would shut everybody out"),
	refuse("allowed networks under Cluster", policy(partners)+"service: {externalTrafficPolicy: Cluster}", "networkPolicy.allowedNetworks would shut everybody out"),
	refuse("allowed networks of node ports under Cluster", policy(partners)+"service: {type: NodePort, externalTrafficPolicy: Cluster}", "networkPolicy.allowedNetworks would shut everybody out"),
	refuse("allowed network that is a name", policy("allowedNetworks: [partner.example.com]"), "this is no network: write it as in 10.0.0.0/8"),
	refuse("allowed network with bits beyond the mask", policy("allowedNetworks: [203.0.113.7/24]"), "this is no network"),
	refuse("allowed network twice", policy("allowedNetworks: [203.0.113.0/24, 203.0.113.0/24]"), "Duplicate value"),
	refuse("metrics from nobody", policy("metricsFrom: [{}]"), "this selects nothing: give a namespaceSelector, a podSelector or both"),
	refuse("metrics without a policy", policy("enabled: false, metricsFrom: [{podSelector: {}}]"), "networkPolicy.metricsFrom needs networkPolicy.enabled"),
}
