package cel

import (
	"encoding"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// knownKeysFile lists the keys that the daemon of commit 6daaef0 knows, as keysOf returns them there. It is the last
// daemon that refuses a file with any other key; the list is never generated from a later commit.
const knownKeysFile = "testdata/config-keys-6daaef0.txt"

// plainSpecs use, together with the samples, every field of the API that determined a key of the daemon's
// configuration at 6daaef0, and no later field.
var plainSpecs = []string{
	`storage: {emptyDir: {}}`,
	`replicas: 3
storage: {persistentVolumeClaim: {claimName: files}, durability: None, partialUploads: Keep}
passive: {portRange: {start: 30000, end: 30063}, advertisedAddress: ftp.example.com, overrides: [{clients: [10.0.0.0/8], address: 10.0.0.1}]}
active: {enabled: true, sourcePort: 20}
users:
- {name: alice, passwordSecretRef: {name: alice}, rights: [List, Read], home: a, quota: {bytes: 1Gi, files: 10}}
- {name: bob, passwordSecretRef: {name: bob}, access: UploadOnly}
anonymous: {enabled: true, home: pub, access: ReadOnly}
hosts: [ftp.example.com]
networkPolicy: {allowedNetworks: [10.0.0.0/8]}
service: {proxyProtocol: {mode: Require, trusted: [10.0.0.0/8]}}
limits:
  timeouts: {login: 30s, idle: 10m, data: 2m, handshake: 30s}
  maxSessions: 100
  maxSessionsPerUser: 10
  maxSessionsPerAddress: 20
  maxPreLogin: 50
  bandwidth: {session: {up: 1Mi, down: 1Mi}, user: {up: 2Mi, down: 2Mi}, server: {up: 4Mi, down: 4Mi}}
drain: {lameDuck: 10s, idle: 10s}
bans: {enabled: true, failures: 5, window: 10m, duration: 1h, maxDuration: 2h, allow: [10.0.0.0/8]}`,
	`storage: {emptyDir: {}}
service: {type: LoadBalancer, externalTrafficPolicy: Local, annotations: {service.beta.kubernetes.io/azure-load-balancer-internal: "true"}}
tls:
  secretName: files-tls
  mode: Required
  data: Optional
  minVersion: "1.3"
  sessionReuse: Require
  implicit: {enabled: true}
  allowCCC: true
  allowTruncation: true
  extraCertificates: [{secretName: other, hosts: [other.example.com]}]
  clientCA: {secretName: partners}`,
}

// TestPlainSpecsWriteNoNewKeys: pods of an older release read the file that a newer operator writes. Daemons of
// 6daaef0 and earlier refuse a file with a key that they do not know: they keep their former users and passwords, and
// do not start again. So a later key may be written only if the spec uses the field that it belongs to.
func TestPlainSpecsWriteNoNewKeys(t *testing.T) {
	known := knownKeys(t)
	check := func(name string, u *unstructured.Unstructured) {
		t.Helper()
		u.SetNamespace(namespace)
		// The API server fills in the defaults.
		if err := dryRun(t.Context(), u); err != nil {
			t.Errorf("%s is refused: %v", name, err)
			return
		}
		for _, key := range writtenKeys(t, u) {
			if !slices.Contains(known, key) {
				t.Errorf("%s: the operator writes the key %q, which daemons of 6daaef0 refuse together with the whole file. "+
					"Write it only if the spec uses a field that is new as well: leave it out (omitempty) for the default", name, key)
			}
		}
	}
	files, err := filepath.Glob(samplesDir + "/ftpserver*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples in %s (%v)", samplesDir, err)
	}
	for _, file := range files {
		for _, u := range documents(t, file) {
			if u.GetKind() == "FtpServer" {
				check(filepath.Base(file), u)
			}
		}
	}
	for _, spec := range plainSpecs {
		check(spec, server(t, spec))
	}
	t.Run("and one that uses a new field does", func(t *testing.T) {
		u := server(t, "storage: {emptyDir: {}}\ncharset: latin1")
		if err := dryRun(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(writtenKeys(t, u), "charset") || slices.Contains(known, "charset") {
			t.Error("a key that is new is not told from one that is known: this test can't fail")
		}
	})
}

// TestKeysStay: within one apiVersion keys are only added.
func TestKeysStay(t *testing.T) {
	now := keysOf(reflect.TypeFor[config.Config](), "")
	for _, key := range knownKeys(t) {
		if !slices.Contains(now, key) {
			t.Errorf("the daemon does not know the key %q any more, which an operator of 6daaef0 writes", key)
		}
	}
}

func knownKeys(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(knownKeysFile)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(text))
}

// writtenKeys returns the keys of the configuration that the operator writes for a server, in the form of keysOf.
func writtenKeys(t *testing.T, u *unstructured.Unstructured) []string {
	t.Helper()
	s := &v1alpha1.FtpServer{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, s); err != nil {
		t.Fatal(err)
	}
	in := resources.Inputs{Server: s, AdvertisedAddress: "192.0.2.1", ClusterIP: "10.96.0.1"}
	if s.Spec.TLS != nil {
		in.Certificates, in.ClientCA = []resources.Certificate{{CertPEM: []byte("c"), KeyPEM: []byte("k")}}, []byte("ca")
	}
	var users []config.User
	for _, user := range s.Spec.Users {
		users = append(users, resources.DaemonUser(user, "$argon2id$"))
	}
	text, err := yaml.Marshal(resources.DaemonConfig(in, users))
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	var keys []string
	collectKeys(tree, "", &keys)
	return keys
}

func collectKeys(value any, path string, keys *[]string) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			collectKeys(element, path+"[]", keys)
		}
	case map[string]any:
		for key, element := range value {
			place := strings.TrimPrefix(path+"."+key, ".")
			*keys = append(*keys, place)
			collectKeys(element, place, keys)
		}
	}
}

// keysOf returns the keys of a type of the configuration, as in users[].home.
func keysOf(t reflect.Type, path string) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		if t.Kind() == reflect.Slice {
			path += "[]"
		}
		t = t.Elem()
	}
	if p := reflect.PointerTo(t); t.Kind() != reflect.Struct || p.Implements(reflect.TypeFor[json.Unmarshaler]()) ||
		p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return nil
	}
	var keys []string
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		place := strings.TrimPrefix(path+"."+name, ".")
		keys = append(keys, place)
		keys = append(keys, keysOf(field.Type, place)...)
	}
	return keys
}
