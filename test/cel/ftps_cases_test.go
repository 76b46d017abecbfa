package cel

import (
	"maps"
	"slices"
)

// allAccepted and allRefused return the cases of all tables.
func allAccepted() map[string]string {
	all := maps.Clone(accepted)
	maps.Copy(all, acceptedPolicies)
	maps.Copy(all, acceptedNetworkPolicies)
	maps.Copy(all, acceptedPorts)
	return all
}

func allRefused() []refusal {
	return slices.Concat(refused, refusedPolicies, refusedNetworkPolicies, refusedPorts)
}

func tls(rest string) string { return base + "tls: {secretName: ftp-tls" + rest + "}\n" }

func implicit(rest string) string { return tls(", implicit: {enabled: true" + rest + "}") }

func proxy(rest string) string { return base + "service: {proxyProtocol: {" + rest + "}}" }

func override(rest string) string { return base + "passive: {overrides: [{" + rest + "}]}" }

func limits(rest string) string { return base + "limits: {" + rest + "}" }

func bans(rest string) string { return base + "bans: {" + rest + "}" }

// acceptedPolicies are settings of TLS, limits and the like at the limits of what is allowed.
var acceptedPolicies = map[string]string{
	"TLS by its Secret alone":     tls(""),
	"TLS disabled, with nothing":  base + "tls: {mode: Disabled}",
	"TLS disabled, with the rest": base + "tls: {mode: Disabled, secretName: a, implicit: {enabled: true}}",
	"session reuse disabled":      tls(", sessionReuse: Disabled"),
	"session reuse preferred":     tls(", sessionReuse: Prefer"),
	"everything of TLS": tls(`, mode: Optional, data: Required, minVersion: "1.3", sessionReuse: Require, allowCCC: true, allowTruncation: true,
  clientCA: {secretName: ftp-tls, mode: Optional}, implicit: {enabled: true, port: 991, nodePort: 30991},
  extraCertificates: [{secretName: a.b-c, hosts: ['*.example.com', ftp.example.org]}, {secretName: d}]`) + "hosts: [ftp.example.com, '*.example.com', localhost]",
	"implicit TLS on the port of 1024":             implicit(", port: 1024"),
	"implicit TLS beside the range":                implicit(", port: 30032"),
	"implicit TLS off, on the control port":        tls(", implicit: {port: 21}"),
	"implicit node port of a NodePort":             implicit(", nodePort: 30100") + "service: {type: NodePort, nodePort: 30101}",
	"implicit node port in a LoadBalancer's range": implicit(", nodePort: 30005"),
	"implicit TLS in the cluster":                  implicit("") + "service: {type: ClusterIP}",

	"PROXY protocol":             proxy("trusted: [10.0.0.0/8, 192.0.2.7, '2001:db8::/32', '2001:db8::1']"),
	"PROXY protocol required":    proxy("mode: Require, trusted: [10.0.0.0/8]"),
	"overrides":                  override("clients: [10.0.0.0/8, '::1'], address: 10.0.0.10}, {clients: [0.0.0.0/0], address: ftp.example.com"),
	"an IPv6 override":           override("clients: ['fd00::/8'], address: 'fd00::10'"),
	"active from port 20":        base + "active: {enabled: true, sourcePort: 20}",
	"active from the last port":  base + "active: {enabled: true, sourcePort: 1023}",
	"quick storage":              "storage: {emptyDir: {}, durability: None, partialUploads: Keep}",
	"safe storage":               "storage: {emptyDir: {}, durability: Fsync, partialUploads: Discard}",
	"rights":                     user(", rights: [List, Read, Create, Write, Append, Delete, Rename, Mkdir]"),
	"one right":                  user(", rights: [List], access: UploadOnly"),
	"quota":                      user(", quota: {bytes: 10Gi, files: 1000}"),
	"quota by a number":          user(", quota: {bytes: 10737418240}"),
	"quota of nothing":           user(", quota: {bytes: 0, files: 0}"),
	"rights and quota of anyone": base + "anonymous: {enabled: true, rights: [Create], quota: {bytes: 500M}}",

	"limits":          limits("maxSessions: 1000, maxSessionsPerUser: 10, maxSessionsPerAddress: 5, maxPreLogin: 100000"),
	"no limits":       limits("maxSessions: 0, maxSessionsPerUser: 0, maxSessionsPerAddress: 0, maxPreLogin: 1"),
	"bandwidth":       limits("bandwidth: {session: {up: 1Ki, down: 1024}, user: {up: 10M, down: 1.5Mi}, server: {up: 1Pi, down: 125e6}}"),
	"least timeouts":  limits("timeouts: {idle: 10s, login: 1s, data: 1000ms, handshake: 1s}"),
	"longest waits":   limits("timeouts: {idle: 24h, login: 10m, data: 1h, handshake: 60s}"),
	"mixed units":     limits("timeouts: {idle: 1h30m, login: 1m30s}"),
	"bans":            bans("enabled: true, failures: 1000, window: 24h, duration: 168h, maxDuration: 720h, allow: [10.0.0.0/8, 192.0.2.7]"),
	"short bans":      bans("failures: 1, window: 10s, duration: 1s, maxDuration: 1s"),
	"no bans":         bans("enabled: false"),
	"longest ban":     bans("maxDuration: 5m"),
	"a long ban only": bans("duration: 48h"),
}

// refusedPolicies are such settings that could not work.
var refusedPolicies = []refusal{
	refuse("TLS without a Secret", base+"tls: {}", "tls.secretName is missing: name a Secret of type kubernetes.io/tls"),
	refuse("optional TLS without a Secret", base+"tls: {mode: Optional}", "tls.secretName is missing"),
	refuse("TLS of no kind", tls(", mode: Always"), `Unsupported value: "Always"`),
	refuse("TLS for data of no kind", tls(", data: Disabled"), `Unsupported value: "Disabled"`),
	refuse("TLS 1.1", tls(`, minVersion: "1.1"`), `Unsupported value: "1.1"`),
	refuse("TLS as a number", tls(`, minVersion: 1.2`), "must be of type string", "Unsupported value: 1.2"),
	refuse("session reuse of no kind", tls(", sessionReuse: Required"), `Unsupported value: "Required"`),
	refuse("session reuse by the daemon's word", tls(`, sessionReuse: "Off"`), `Unsupported value: "Off": supported values: "Disabled", "Prefer", "Require"`),
	refuse("session reuse that YAML takes for a boolean", tls(", sessionReuse: Off"), "must be of type string", `Unsupported value: false: supported values: "Disabled", "Prefer", "Require"`),
	refuse("TLS Secret with a bad name", base+"tls: {secretName: Ftp_TLS}", "a Secret's name consists of lower case letters"),
	refuse("authorities without a Secret", tls(", clientCA: {}"), "Required value"),
	refuse("authorities with a bad name", tls(", clientCA: {secretName: A}"), "a Secret's name consists of lower case letters"),
	refuse("authorities of no kind", tls(", clientCA: {secretName: a, mode: Never}"), `Unsupported value: "Never"`),
	refuse("extra certificate twice", tls(", extraCertificates: [{secretName: a}, {secretName: a}]"), `Duplicate value: {"secretName":"a"}`),
	refuse("extra certificate with a bad name", tls(", extraCertificates: [{secretName: A}]"), "a Secret's name consists of lower case letters"),
	refuse("extra certificate for a URL", tls(", extraCertificates: [{secretName: a, hosts: ['ftps://a']}]"), "a host is a name as in ftp.example.com"),
	refuse("host that is an address", base+"hosts: [192.0.2.1]", "a host is a name as in ftp.example.com"),
	refuse("host with a star in it", base+"hosts: ['ftp.*.com']", "a host is a name as in ftp.example.com"),
	refuse("host that is a star", base+"hosts: ['*']", "a host is a name as in ftp.example.com"),
	refuse("host with a port", base+"hosts: ['ftp.example.com:21']", "a host is a name as in ftp.example.com"),
	refuse("host twice", base+"hosts: [a, a]", "Duplicate value"),

	refuse("implicit TLS on the control port", implicit("")+"service: {port: 990}", "tls.implicit.port is service.port too"),
	refuse("implicit TLS first in the range", implicit(", port: 30000"), "tls.implicit.port lies in the passive range"),
	refuse("implicit TLS last in the range", implicit(", port: 30031"), "tls.implicit.port lies in the passive range"),
	refuse("implicit TLS on port 0", implicit(", port: 0"), "should be greater than or equal to 1"),
	refuse("implicit node port of a ClusterIP", implicit(", nodePort: 30100")+"service: {type: ClusterIP}", "tls.implicit.nodePort needs service.type NodePort or LoadBalancer"),
	refuse("implicit node port below the cluster's", implicit(", nodePort: 29999"), "tls.implicit.nodePort lies outside the cluster's node port range: choose one of 30000-32767"),
	refuse("implicit node port above the cluster's", implicit(", nodePort: 32768"), "tls.implicit.nodePort lies outside the cluster's node port range"),
	refuse("implicit node port that is the control port's", implicit(", nodePort: 30100")+"service: {nodePort: 30100}", "tls.implicit.nodePort is service.nodePort too"),
	refuse("implicit node port in the range", implicit(", nodePort: 30005")+"service: {type: NodePort}", "tls.implicit.nodePort lies in the passive range"),
	refuse("range with 9990", base+"passive: {portRange: {start: 9990, end: 9999}}", "the range holds 2121, 8021, 8022 or 9990"),

	refuse("PROXY protocol from nobody", proxy("trusted: []"), "should have at least 1 items"),
	refuse("PROXY protocol without proxies", proxy("mode: Accept"), "Required value"),
	refuse("PROXY protocol of no kind", proxy("mode: Never, trusted: [10.0.0.0/8]"), `Unsupported value: "Never"`),
	refuse("proxies that are a name", proxy("trusted: [lb.example.com]"), "this is no network: write it as in 10.0.0.0/8"),
	refuse("proxies with bits beyond the mask", proxy("trusted: [10.1.0.0/8]"), "this is no network"),
	refuse("override for nobody", override("clients: [], address: 10.0.0.10"), "should have at least 1 items"),
	refuse("override for no network", override("clients: [10.0.0.0/33], address: 10.0.0.10"), "this is no network"),
	refuse("override with a port", override("clients: [10.0.0.0/8], address: '10.0.0.10:21'"), "the address of an override is neither an IP address nor a host name"),
	refuse("override to nowhere", override("clients: [10.0.0.0/8], address: 0.0.0.0"), "the address of an override is none that a client could dial"),
	refuse("active from port 0", base+"active: {enabled: true, sourcePort: 0}", "should be greater than or equal to 1"),
	refuse("active from port 2121", base+"active: {enabled: true, sourcePort: 2121}", "should be less than or equal to 1023"),

	refuse("durability of no kind", "storage: {emptyDir: {}, durability: Sync}", `Unsupported value: "Sync"`),
	refuse("partial uploads of no kind", "storage: {emptyDir: {}, partialUploads: Delete}", `Unsupported value: "Delete"`),
	refuse("right of no kind", user(", rights: [Chmod]"), `Unsupported value: "Chmod"`),
	refuse("right twice", user(", rights: [List, List]"), "Duplicate value"),
	refuse("no right at all", user(", rights: []"), "should have at least 1 items"),
	refuse("negative quota", user(`, quota: {bytes: "-5"}`), "should match"),
	refuse("quota in words", user(", quota: {bytes: ten}"), "should match", "should match"),
	refuse("quota of a fraction", user(", quota: {bytes: 500m}"), "should match"),
	refuse("negative quota of files", user(", quota: {files: -1}"), "should be greater than or equal to 0"),

	refuse("negative sessions", limits("maxSessions: -1"), "should be greater than or equal to 0"),
	refuse("negative sessions of a user", limits("maxSessionsPerUser: -1"), "should be greater than or equal to 0"),
	refuse("negative sessions of an address", limits("maxSessionsPerAddress: -1"), "should be greater than or equal to 0"),
	refuse("nobody before login", limits("maxPreLogin: 0"), "should be greater than or equal to 1"),
	refuse("too many before login", limits("maxPreLogin: 100001"), "should be less than or equal to 100000"),
	refuse("rate of 1023", limits("bandwidth: {session: {up: 1023}}"), "a rate is at least 1Ki and at most 1Pi bytes a second"),
	refuse("rate of 0", limits("bandwidth: {user: {down: 0}}"), "a rate is at least 1Ki"),
	refuse("negative rate", limits("bandwidth: {server: {down: '-1Mi'}}"), "a rate is at least 1Ki"),
	refuse("endless rate", limits("bandwidth: {server: {up: 2Pi}}"), "a rate is at least 1Ki and at most 1Pi"),
	refuse("rate in bits", limits("bandwidth: {server: {up: 10Mbit}}"), "should match", "a rate is at least 1Ki"),
	refuse("idle for 9 seconds", limits("timeouts: {idle: 9999ms}"), "limits.timeouts.idle is out of range: write 10s to 24h"),
	refuse("idle for two days", limits("timeouts: {idle: 48h}"), "limits.timeouts.idle is out of range"),
	refuse("login in no time", limits("timeouts: {login: 0s}"), "limits.timeouts.login is out of range: write 1s to 10m"),
	refuse("login in an hour", limits("timeouts: {login: 1h}"), "limits.timeouts.login is out of range"),
	refuse("data standing still for a day", limits("timeouts: {data: 24h}"), "limits.timeouts.data is out of range: write 1s to 1h"),
	refuse("data that may not stand still", limits("timeouts: {data: 999ms}"), "limits.timeouts.data is out of range"),
	refuse("handshake of two minutes", limits("timeouts: {handshake: 2m}"), "limits.timeouts.handshake is out of range: write 1s to 1m"),
	refuse("handshake in no time", limits("timeouts: {handshake: 0s}"), "limits.timeouts.handshake is out of range"),
	refuse("time without a unit", limits("timeouts: {idle: '300'}"), "this is no span of time: write it as in 90s, 5m or 1h30m"),
	refuse("time as a number", limits("timeouts: {idle: 300}"), "must be of type string"),
	refuse("time in days", limits("timeouts: {idle: 1d}"), "this is no span of time"),
	refuse("time that was", limits("timeouts: {idle: '-5m'}"), "this is no span of time"),
	refuse("time that never ends", limits("timeouts: {idle: 99999h99999h99999h99999h}"), "may not be more than 20"),

	refuse("ban for nothing", bans("failures: 0"), "should be greater than or equal to 1"),
	refuse("ban that never comes", bans("failures: 1001"), "should be less than or equal to 1000"),
	refuse("window of 9 seconds", bans("window: 9s"), "bans.window is out of range: write 10s to 24h"),
	refuse("ban for no time", bans("duration: 0s"), "bans.duration is out of range: write 1s to 168h"),
	refuse("ban for a year", bans("duration: 8760h"), "bans.duration is out of range"),
	refuse("longest ban of no time", bans("duration: 1s, maxDuration: 999ms"), "bans.maxDuration is out of range: write 1s to 720h", "bans.maxDuration is less than bans.duration"),
	refuse("longest ban for ever", bans("maxDuration: 721h"), "bans.maxDuration is out of range"),
	refuse("longest ban below the first", bans("duration: 2h, maxDuration: 1h"), "bans.maxDuration is less than bans.duration"),
	refuse("longest ban below the default", bans("maxDuration: 4m"), "bans.maxDuration is less than bans.duration (5m if that is not set)"),
	refuse("ban window in words", bans("window: long, duration: a while, maxDuration: for ever"), "this is no span of time", "this is no span of time", "this is no span of time"),
	refuse("ban for nobody", bans("allow: [office]"), "this is no network"),
}
