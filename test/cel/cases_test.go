package cel

// A refusal is a spec that the API server must refuse, with the start of each message that it must give.
type refusal struct {
	name     string
	spec     string
	messages []string
}

func refuse(name, spec string, messages ...string) refusal { return refusal{name, spec, messages} }

// base is the minimum of a spec.
const base = "storage: {emptyDir: {}}\n"

// shared is storage that several replicas can use.
const shared = "storage: {persistentVolumeClaim: {claimName: shared}}\n"

// claim is the start of a volumeClaimTemplate; a case appends the rest of its spec.
const claim = "storage: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Gi}}"

func user(rest string) string {
	return base + "users: [{name: alice, passwordSecretRef: {name: alice-ftp}" + rest + "}]"
}

func named(name string) string {
	return base + `users: [{name: "` + name + `", passwordSecretRef: {name: alice-ftp}}]`
}

// accepted are specs at the limits of what is allowed.
var accepted = map[string]string{
	"nothing but storage":                 base,
	"range of two ports":                  base + "passive: {portRange: {start: 30000, end: 30001}}",
	"no replicas, two ports":              base + "replicas: 0\npassive: {portRange: {start: 30000, end: 30001}}",
	"range of 1000 ports":                 base + "passive: {portRange: {start: 40000, end: 40999}}",
	"lowest range":                        base + "passive: {portRange: {start: 1024, end: 1025}}",
	"highest range":                       base + "passive: {portRange: {start: 65534, end: 65535}}",
	"range beside the control port":       base + "service: {port: 29999}",
	"range beside the other side":         base + "service: {port: 30032}",
	"range between the pod's own ports":   base + "passive: {portRange: {start: 2122, end: 3000}}",
	"replicas + 1 ports":                  shared + "replicas: 3\npassive: {portRange: {start: 30000, end: 30003}}",
	"most replicas":                       shared + "replicas: 999\npassive: {portRange: {start: 40000, end: 40999}}",
	"Local with one replica":              base + "service: {externalTrafficPolicy: Local}",
	"Local with none":                     base + "replicas: 0\nservice: {externalTrafficPolicy: Local}",
	"Cluster with several replicas":       shared + "replicas: 3\nservice: {externalTrafficPolicy: Cluster}",
	"several replicas, policy unset":      shared + "replicas: 3",
	"NodePort, the whole way":             base + "service: {type: NodePort, nodePort: 30021, externalTrafficPolicy: Local}\npassive: {portRange: {start: 30030, end: 30039}}",
	"NodePort at the upper end":           base + "service: {type: NodePort}\npassive: {portRange: {start: 32760, end: 32767}}",
	"LoadBalancer range anywhere":         base + "passive: {portRange: {start: 50000, end: 50010}}",
	"LoadBalancer node port in the range": base + "service: {nodePort: 30005}",
	"everything of a LoadBalancer":        base + "service: {nodePort: 30100, externalTrafficPolicy: Local, loadBalancerClass: example.com/lb, loadBalancerSourceRanges: [10.0.0.0/8, '2001:db8::/32', 203.0.113.7/32], allocateLoadBalancerNodePorts: false, annotations: {example.com/a: b}, labels: {a: b}, ipFamilyPolicy: PreferDualStack}",
	"a class without a prefix":            base + "service: {loadBalancerClass: internal-vip}",
	"ClusterIP":                           base + "service: {type: ClusterIP, port: 2121, loadBalancerSourceRanges: []}",
	"advertised IPv4":                     base + "passive: {advertisedAddress: 203.0.113.10}",
	"advertised IPv6":                     base + "passive: {advertisedAddress: '2001:db8::10'}",
	"every charset's default":             base + "charset: utf-8",
	"charset latin1":                      base + "charset: latin1",
	"charset windows-1252":                base + "charset: windows-1252",
	"charset cp850":                       base + "charset: cp850",
	"address from the PROXY header":       base + "service: {proxyProtocol: {mode: Require, trusted: [10.0.0.0/8]}}\npassive: {advertisedAddressFrom: ProxyProtocol, advertisedAddress: 203.0.113.10}",
	"advertised loopback":                 base + "passive: {advertisedAddress: 127.0.0.1}",
	"advertised name":                     base + "passive: {advertisedAddress: ftp-1.example.com}",
	"advertised short name":               base + "passive: {advertisedAddress: FTP}",
	"advertised name with a digit first":  base + "passive: {advertisedAddress: 3com.example}",
	"users":                               base + "users: [{name: alice, passwordSecretRef: {name: a.b-c, key: pass_word.1}, home: ., access: ReadOnly}, {name: 9bob@example.com, passwordSecretRef: {name: x}, home: alice, access: UploadOnly}]",
	"user of 64 characters":               named("a234567890123456789012345678901234567890123456789012345678901234"),
	"user that begins like a reserved":    named("ftpuser"),
	"user with dots":                      named("a.."),
	"home of several parts":               user(", home: teams/alice/in box"),
	"home with dots in its names":         user(", home: .a/b..c/..."),
	"home in another script":              user(", home: Günther/文件"),
	"anonymous":                           base + "anonymous: {enabled: true, home: pub, access: UploadOnly}",
	"memory for files":                    "storage: {emptyDir: {medium: Memory, sizeLimit: 1Gi}}",
	"a claim that exists":                 shared,
	"a claim to make":                     claim + ", storageClassName: fast, volumeMode: Filesystem}, metadata: {labels: {a: b}}, whenDeleted: Delete}}",
	"a claim sized by a number":           "storage: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1000000}}}}}",
	"one pod's own volume":                "storage: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOncePod], resources: {requests: {storage: 1Gi}}}}}",
	"a budget of two pods":                shared + "replicas: 9\npodDisruptionBudget: {maxUnavailable: 2}",
	"a budget in percent":                 shared + "replicas: 9\npodDisruptionBudget: {maxUnavailable: 20%}",
	"a budget of all pods":                base + "podDisruptionBudget: {enabled: true, maxUnavailable: 100%}",
	"no budget":                           base + "podDisruptionBudget: {enabled: false}",
	"a drain without a lame duck":         base + "drain: {lameDuck: 0s, idle: 1s}",
	"a long lame duck":                    base + "drain: {lameDuck: 5m, idle: 24h}",
	"a lame duck of nearly the grace":     base + "drain: {lameDuck: 9s999ms}\ntemplate: {terminationGracePeriodSeconds: 10}",
	"image by digest":                     base + "image: registry.example.com:5000/a/b@sha256:0000000000000000000000000000000000000000000000000000000000000000",
	"template": base + `template:
  metadata: {labels: {team: a}, annotations: {example.com/x: a}}
  resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 1Gi}}
  nodeSelector: {disk: ssd}
  tolerations: [{key: a, operator: Exists}]
  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}
  topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway}]
  priorityClassName: high
  imagePullSecrets: [{name: pull}]
  imagePullPolicy: Always
  terminationGracePeriodSeconds: 604800`,
}

// refused are specs that could not work. The messages of the CRD's rules are given in full or up to the point where
// they are unambiguous; the others are the API server's own.
var refused = []refusal{
	refuse("charset that is not known", base+"charset: ebcdic", `Unsupported value: "ebcdic"`),
	refuse("address from a header that nobody sends", base+"passive: {advertisedAddressFrom: ProxyProtocol}", "passive.advertisedAddressFrom ProxyProtocol needs a load balancer that tells the address: declare service.proxyProtocol"),
	refuse("address from elsewhere", base+"service: {proxyProtocol: {mode: Require, trusted: [10.0.0.0/8]}}\npassive: {advertisedAddressFrom: DNS}", `Unsupported value: "DNS"`),
	refuse("range reversed", base+"passive: {portRange: {start: 30031, end: 30000}}", "the range is reversed: swap start and end"),
	refuse("range of 1001 ports", base+"passive: {portRange: {start: 40000, end: 41000}}", "the range may hold at most 1000 ports: set end to start + 999 or less"),
	refuse("range with 2121", base+"passive: {portRange: {start: 2100, end: 2121}}", "the range holds 2121, 8021, 8022 or 9990"),
	refuse("range with 8022", base+"passive: {portRange: {start: 8022, end: 8030}}", "the range holds 2121, 8021, 8022 or 9990"),
	refuse("range with 8021", base+"passive: {portRange: {start: 8021, end: 8030}}", "the range holds 2121, 8021, 8022 or 9990"),
	refuse("range below 1024", base+"passive: {portRange: {start: 1023, end: 1100}}", "should be greater than or equal to 1024"),
	refuse("range above 65535", base+"passive: {portRange: {start: 65530, end: 65536}}", "should be less than or equal to 65535"),
	refuse("range without end", base+"passive: {portRange: {start: 30000}}", "Required value"),
	refuse("control port first in the range", base+"service: {port: 30000}", "the control port lies in the passive range"),
	refuse("control port last in the range", base+"service: {port: 30031}", "the control port lies in the passive range"),
	refuse("control port 0", base+"service: {port: 0}", "should be greater than or equal to 1"),
	refuse("one port", base+"passive: {portRange: {start: 30000, end: 30000}}", "passive.portRange holds too few ports"),
	refuse("no replicas, one port", base+"replicas: 0\npassive: {portRange: {start: 30000, end: 30000}}", "passive.portRange holds too few ports"),
	refuse("as many ports as replicas", shared+"replicas: 3\npassive: {portRange: {start: 30000, end: 30002}}", "passive.portRange holds too few ports"),
	refuse("replicas -1", base+"replicas: -1", "should be greater than or equal to 0", "should be a non-negative integer"),
	refuse("replicas 1000", shared+"replicas: 1000\npassive: {portRange: {start: 40000, end: 40999}}", "should be less than or equal to 999", "passive.portRange holds too few ports"),
	refuse("Local with two replicas", shared+"replicas: 2\nservice: {externalTrafficPolicy: Local}", "service.externalTrafficPolicy Local sends passive ports"),
	refuse("emptyDir with two replicas", base+"replicas: 2", "with storage.emptyDir each pod has files of its own"),
	refuse("a pod's own volume with two replicas", "replicas: 2\nstorage: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOncePod], resources: {requests: {storage: 1Gi}}}}}", "a volume with access mode ReadWriteOncePod can be mounted by one pod only"),

	refuse("NodePort range below the cluster's", base+"service: {type: NodePort}\npassive: {portRange: {start: 29999, end: 30010}}", "with service.type NodePort every passive port is a node port too: set passive.portRange within the cluster's node port range, 30000-32767"),
	refuse("NodePort range above the cluster's", base+"service: {type: NodePort}\npassive: {portRange: {start: 32760, end: 32768}}", "with service.type NodePort every passive port is a node port too"),
	refuse("NodePort of the control port in the range", base+"service: {type: NodePort, nodePort: 30010}", "the control node port lies in the passive range"),
	refuse("node port below the cluster's", base+"service: {nodePort: 29999}", "service.nodePort lies outside the cluster's node port range: choose one of 30000-32767"),
	refuse("node port above the cluster's", base+"service: {nodePort: 32768}", "service.nodePort lies outside the cluster's node port range"),
	refuse("node port of a ClusterIP", base+"service: {type: ClusterIP, nodePort: 30100}", "service.nodePort needs service.type NodePort or LoadBalancer"),
	refuse("traffic policy of a ClusterIP", base+"service: {type: ClusterIP, externalTrafficPolicy: Cluster}", "service.externalTrafficPolicy needs service.type NodePort or LoadBalancer"),
	refuse("class of a NodePort", base+"service: {type: NodePort, loadBalancerClass: a}", "service.loadBalancerClass needs service.type LoadBalancer"),
	refuse("class that is no name", base+"service: {loadBalancerClass: 'a b'}", "service.loadBalancerClass is a label-style name"),
	refuse("class with an empty prefix", base+"service: {loadBalancerClass: /lb}", "service.loadBalancerClass is a label-style name"),
	refuse("source ranges of a NodePort", base+"service: {type: NodePort, loadBalancerSourceRanges: [10.0.0.0/8]}", "service.loadBalancerSourceRanges needs service.type LoadBalancer"),
	refuse("source range that is an address", base+"service: {loadBalancerSourceRanges: [10.0.0.1]}", "a source range is a network in CIDR form"),
	refuse("source range with a length too long", base+"service: {loadBalancerSourceRanges: [10.0.0.0/33]}", "a source range is a network in CIDR form"),
	refuse("source range twice", base+"service: {loadBalancerSourceRanges: [10.0.0.0/8, 10.0.0.0/8]}", "Duplicate value"),
	refuse("node port allocation of a ClusterIP", base+"service: {type: ClusterIP, allocateLoadBalancerNodePorts: true}", "service.allocateLoadBalancerNodePorts needs service.type LoadBalancer"),
	refuse("type ExternalName", base+"service: {type: ExternalName}", `Unsupported value: "ExternalName"`),
	refuse("the operator's annotation on the Service", base+"service: {annotations: {ftp-operator.io/x: a}}", "annotations of ftp-operator.io/ belong to the operator"),
	refuse("the operator's label on the Service", base+"service: {labels: {ftp-operator.io/server: a}}", "labels of ftp-operator.io/ belong to the operator"),
	refuse("the operator's label on pods", base+"template: {metadata: {labels: {ftp-operator.io/server: a}}}", "labels of ftp-operator.io/ belong to the operator"),
	refuse("the operator's annotation on pods", base+"template: {metadata: {annotations: {ftp-operator.io/passive-ports: '1'}}}", "annotations of ftp-operator.io/ belong to the operator"),

	refuse("advertised URL", base+"passive: {advertisedAddress: 'ftp://example.com'}", "passive.advertisedAddress is neither an IP address nor a host name"),
	refuse("advertised address and port", base+"passive: {advertisedAddress: '203.0.113.10:21'}", "passive.advertisedAddress is neither"),
	refuse("advertised quarter of an address", base+"passive: {advertisedAddress: 203.0.113}", "passive.advertisedAddress is neither"),
	refuse("advertised impossible address", base+"passive: {advertisedAddress: 203.0.113.256}", "passive.advertisedAddress is neither"),
	refuse("advertised name with _", base+"passive: {advertisedAddress: my_host.example.com}", "passive.advertisedAddress is neither"),
	refuse("advertised name with - at the end", base+"passive: {advertisedAddress: ftp-.example.com}", "passive.advertisedAddress is neither"),
	refuse("advertised label of 64", base+"passive: {advertisedAddress: a234567890123456789012345678901234567890123456789012345678901234.example}", "passive.advertisedAddress is neither"),
	refuse("advertised nowhere", base+"passive: {advertisedAddress: 0.0.0.0}", "passive.advertisedAddress is no address that a client could dial"),
	refuse("advertised nowhere in IPv6", base+"passive: {advertisedAddress: '::'}", "passive.advertisedAddress is no address that a client could dial"),
	refuse("advertised multicast", base+"passive: {advertisedAddress: 224.0.0.1}", "passive.advertisedAddress is no address that a client could dial"),
	refuse("advertised broadcast", base+"passive: {advertisedAddress: 255.255.255.255}", "passive.advertisedAddress is no address that a client could dial"),

	refuse("two users of one name", base+"users: [{name: alice, passwordSecretRef: {name: a}}, {name: alice, passwordSecretRef: {name: b}}]", `Duplicate value: {"name":"alice"}`),
	refuse("user anonymous", named("anonymous"), "anonymous and ftp are the names of login without an account"),
	refuse("user ftp", named("ftp"), "anonymous and ftp are the names of login without an account"),
	refuse("user Ftp", named("Ftp"), "anonymous and ftp are the names of login without an account"),
	refuse("user with a blank", named("al ice"), "a user name consists of letters, digits and . _ @ - and begins with a letter or digit"),
	refuse("user with a slash", named("al/ice"), "a user name consists of letters"),
	refuse("user with a dot first", named(".alice"), "a user name consists of letters"),
	refuse("user with a line end", named(`alice\n`), "a user name consists of letters"),
	refuse("user without a name", named(""), "a user name consists of letters"),
	refuse("user of 65 characters", named("a2345678901234567890123456789012345678901234567890123456789012345"), "Too long: may not be more than 64"),
	refuse("user without a password", base+"users: [{name: alice}]", "Required value"),
	refuse("password Secret with a bad name", base+"users: [{name: alice, passwordSecretRef: {name: Alice_FTP}}]", "a Secret's name consists of lower case letters"),
	refuse("password Secret with a bad key", base+"users: [{name: alice, passwordSecretRef: {name: a, key: 'pass word'}}]", "a key of a Secret consists of letters"),
	refuse("access Everything", user(", access: Everything"), `Unsupported value: "Everything"`),

	refuse("home above", user(", home: ../bob"), "home is no relative path: write it as in alice or teams/alice"),
	refuse("home above in the middle", user(", home: a/../../b"), "home is no relative path"),
	refuse("home above at the end", user(", home: a/.."), "home is no relative path"),
	refuse("home ..", user(", home: .."), "home is no relative path"),
	refuse("home absolute", user(", home: /alice"), "home is no relative path"),
	refuse("home /", user(", home: /"), "home is no relative path"),
	refuse("home with //", user(", home: a//b"), "home is no relative path"),
	refuse("home with a slash at the end", user(", home: a/"), "home is no relative path"),
	refuse("home with a . part", user(", home: ./alice"), "home is no relative path"),
	refuse("home with a backslash", user(`, home: 'a\b'`), "home holds a backslash or a character that can't be printed"),
	refuse("home with a line end", user(`, home: "a\nb"`), "home holds a backslash or a character that can't be printed"),
	refuse("home with NUL", user(`, home: "a\0"`), "home holds a backslash or a character that can't be printed"),
	refuse("home with DEL", user(`, home: "a\x7f"`), "home holds a backslash or a character that can't be printed"),
	refuse("home with a C1 control", user(`, home: "a\u009b"`), "home holds a backslash or a character that can't be printed"),
	refuse("home with a line separator", user(`, home: "a\u2028b"`), "home holds a backslash or a character that can't be printed"),
	refuse("home that turns the writing direction", user(`, home: "a\u202eb"`), "home holds a backslash or a character that can't be printed"),
	refuse("home that was not UTF-8", user(`, home: "a\ufffdb"`), "home holds a backslash or a character that can't be printed"),
	refuse("home of a hidden upload", user(", home: a/.ftpd-x"), "names that begin with .ftpd- (in upper case, too) belong to the daemon"),
	refuse("home of a hidden upload in upper case", user(", home: a/.FTPD-x"), "belong to the daemon"),
	refuse("home empty", user(`, home: ""`), "home is no relative path"),
	refuse("anonymous home above", base+"anonymous: {home: ../x}", "home is no relative path"),

	refuse("no storage", "storage: {}", "storage needs exactly one of persistentVolumeClaim"),
	refuse("two storages", "storage: {emptyDir: {}, persistentVolumeClaim: {claimName: a}}", "storage needs exactly one of persistentVolumeClaim"),
	refuse("storage left out", "replicas: 1", "Required value"),
	refuse("claim with a bad name", "storage: {persistentVolumeClaim: {claimName: A}}", "a claim's name consists of lower case letters"),
	refuse("medium of no kind", "storage: {emptyDir: {medium: Tape}}", "storage.emptyDir.medium is Memory"),
	refuse("template without access modes", "storage: {volumeClaimTemplate: {spec: {resources: {requests: {storage: 1Gi}}}}}", "volumeClaimTemplate.spec.accessModes is missing"),
	refuse("template without a size", "storage: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce]}}}", "volumeClaimTemplate.spec.resources.requests.storage is missing"),
	refuse("template of size 0", "storage: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 0}}}}}", "volumeClaimTemplate.spec.resources.requests.storage is missing or not above zero"),
	refuse("template of a block device", claim+", volumeMode: Block}}}", "volumeClaimTemplate.spec.volumeMode Block can't hold files"),
	refuse("the operator's label on the claim", claim+"}, metadata: {labels: {ftp-operator.io/a: b}}}}", "labels of ftp-operator.io/ belong to the operator"),
	refuse("the operator's annotation on the claim", claim+"}, metadata: {annotations: {ftp-operator.io/a: b}}}}", "annotations of ftp-operator.io/ belong to the operator"),
	refuse("retention of no kind", claim+"}, whenDeleted: Keep}}", `Unsupported value: "Keep"`),

	refuse("a budget that forbids drains", base+"podDisruptionBudget: {maxUnavailable: 0}", "podDisruptionBudget.maxUnavailable would let no pod go"),
	refuse("a budget of no percent", base+"podDisruptionBudget: {maxUnavailable: 0%}", "podDisruptionBudget.maxUnavailable would let no pod go"),
	refuse("a budget of more than all", base+"podDisruptionBudget: {maxUnavailable: 101%}", "podDisruptionBudget.maxUnavailable would let no pod go"),
	refuse("a budget in words", base+"podDisruptionBudget: {maxUnavailable: one}", "podDisruptionBudget.maxUnavailable would let no pod go"),

	refuse("a lame duck of nothing", base+"drain: {lameDuck: soon}", "this is no span of time"),
	refuse("a lame duck of six minutes", base+"drain: {lameDuck: 6m}", "drain.lameDuck is out of range: write 0s to 5m"),
	refuse("a warm-up of six minutes", base+"passive: {warmUp: 6m}", "passive.warmUp is out of range: write 0s to 5m"),
	refuse("a lame duck of the whole grace", base+"drain: {lameDuck: 30s}\ntemplate: {terminationGracePeriodSeconds: 30}", "drain.lameDuck is as long as template.terminationGracePeriodSeconds"),
	refuse("a drain that ends sessions at once", base+"drain: {idle: 0s}", "drain.idle is out of range: write 1s to 24h"),

	refuse("image with a blank", base+"image: 'a b'", "image is no image reference"),
	refuse("grace of 9 seconds", base+"template: {terminationGracePeriodSeconds: 9}", "should be greater than or equal to 10"),
	refuse("grace of more than a week", base+"template: {terminationGracePeriodSeconds: 604801}", "should be less than or equal to 604800"),
}
