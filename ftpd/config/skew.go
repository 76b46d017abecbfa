package config

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// Version skew: an operator that is being upgraded writes one file for pods of both versions. Within one APIVersion,
// keys and values are only added, so an older daemon can use a newer file as far as it knows the content. A change of
// another kind changes APIVersion, and a daemon refuses a file with an unknown one.

const (
	// maxIgnored is the largest number of entries that Load lists, and maxIgnoredText the largest size of each in
	// bytes: the list is logged.
	maxIgnored     = 50
	maxIgnoredText = 200
)

// Loaded is a configuration file that Load has read.
type Loaded struct {
	Config *Config
	// Hash is the hash of the file; see the function Hash.
	Hash string
	// Ignored lists the places of the keys and values that this daemon does not know, sorted, at most 50. It never
	// contains a value, because a value in the wrong place might be a secret.
	Ignored []string
}

// Load is like Parse, for the daemon: it ignores keys and values that it does not know, and lists them in
// Loaded.Ignored. The safest known value replaces an unknown one.
//
// A user whose access, rights or kind of password hash are not known can't log in. Load refuses everything else that
// Parse refuses.
func Load(file []byte) (*Loaded, error) {
	// This finds duplicate keys, which yaml.Unmarshal accepts.
	if _, err := yaml.YAMLToJSONStrict(file); err != nil {
		return nil, notYAML(err)
	}
	c := new(Config)
	if err := yaml.Unmarshal(file, c); err != nil {
		return nil, notYAML(err)
	}
	var tree any
	if err := yaml.Unmarshal(file, &tree); err != nil {
		return nil, notYAML(err)
	}
	var found ignoredList
	found.keys(tree, reflect.TypeFor[Config](), "")
	c.SetDefaults()
	found.values(c)
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Loaded{Config: c, Hash: Hash(file), Ignored: found.list()}, nil
}

func notYAML(err error) error {
	return fmt.Errorf("configuration is not valid YAML of %s: %w", APIVersion, err)
}

// ignoredList collects what is not known.
type ignoredList []string

func (l *ignoredList) add(text string) { *l = append(*l, text) }

// list returns the entries, sorted and limited in number.
func (l *ignoredList) list() []string {
	slices.Sort(*l)
	all := slices.Compact(*l)
	if n := len(all) - maxIgnored; n > 0 {
		all = append(all[:maxIgnored:maxIgnored], fmt.Sprintf("and %d more", n))
	}
	return all
}

// keys adds the keys of a decoded value that its type t does not have.
func (l *ignoredList) keys(value any, t reflect.Type, path string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if p := reflect.PointerTo(t); p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return // the type reads itself
	}
	switch value := value.(type) {
	case []any:
		if t.Kind() != reflect.Slice {
			return
		}
		for i, element := range value {
			l.keys(element, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
		}
	case map[string]any:
		if t.Kind() != reflect.Struct {
			return
		}
		for key, element := range value {
			place := strings.TrimPrefix(path+"."+shown(key), ".")
			if field, known := fieldOf(t, key); known {
				l.keys(element, field.Type, place)
			} else {
				l.add(place)
			}
		}
	}
}

// shown returns a key in a form that may be logged.
func shown(key string) string {
	if len(key) > maxIgnoredText {
		key = key[:maxIgnoredText] + "..."
	}
	if printable(key) {
		return key
	}
	return strconv.QuoteToASCII(key)
}

// fieldOf returns the field that encoding/json decodes a key into, whatever the key's case.
func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if strings.EqualFold(name, key) {
			return field, true
		}
	}
	return reflect.StructField{}, false
}

// values replaces each value that is not known by a safe one.
func (l *ignoredList) values(c *Config) {
	safest(l, "storage.durability", &c.Storage.Durability, DurabilityFsync, DurabilityNone)
	safest(l, "storage.partialUploads", &c.Storage.PartialUploads, PartialUploadsDiscard, PartialUploadsKeep)
	safest(l, "passive.peerCheck", &c.Passive.PeerCheck, PeerCheckStrict, PeerCheckRelaxed)
	safest(l, "proxyProtocol.mode", &c.ProxyProtocol.Mode, ProxyRequire, ProxyAccept, ProxyOff)
	if c.Charset != "" {
		safest(l, "charset", &c.Charset, CharsetUTF8, Charsets...)
	}
	if from := &c.Passive.AdvertisedAddressFrom; *from != "" && *from != AddressFromProxyProtocol {
		l.add("passive.advertisedAddressFrom: its value is not known, it is left out")
		*from = ""
	}
	if t := c.TLS; t != nil {
		safest(l, "tls.minVersion", &t.MinVersion, TLS13, TLS12)
		safest(l, "tls.login", &t.Login, PolicyRequired, PolicyOptional)
		safest(l, "tls.data", &t.Data, PolicyRequired, PolicyOptional)
		safest(l, "tls.sessionReuse", &t.SessionReuse, SessionReuseRequire, SessionReusePrefer, SessionReuseOff)
		safest(l, "tls.clientAuth.mode", &t.ClientAuth.Mode, ClientAuthRequired, ClientAuthOptional, ClientAuthOff)
	}
	a := &c.Anonymous
	if !l.access("anonymous", &a.Access, &a.Rights) && a.Enabled {
		a.Enabled = false
	}
	users := c.Users[:0:0]
	for i := range c.Users {
		u := c.Users[i]
		field := fmt.Sprintf("users[%d]", i)
		known := l.access(field, &u.Access, &u.Rights)
		if unknownScheme(u.PasswordHash) {
			l.add(field + ".passwordHash: its kind is not known, so the user can't log in")
			known = false
		}
		if known {
			users = append(users, u)
		}
	}
	c.Users = users
}

// safest replaces a value that is not known by safe. Known values are safe and others.
func safest[T ~string](l *ignoredList, field string, value *T, safe T, others ...T) {
	if *value == safe || slices.Contains(others, *value) || *value == "false" { // Validate explains "false"
		return
	}
	l.add(fmt.Sprintf("%s: its value is not known, %s is used", field, safe))
	*value = safe
}

// access removes unknown rights, and replaces an unknown class by a valid one. It reports whether enough is left to
// let the user log in: an empty list of rights would mean that the class applies.
func (l *ignoredList) access(field string, access *Access, rights *[]Right) bool {
	class := *access
	if !slices.Contains([]Access{AccessReadOnly, AccessReadWrite, AccessUploadOnly}, class) {
		*access = AccessReadOnly
	}
	if len(*rights) == 0 {
		if *access != class {
			l.add(field + ".access: its value is not known, so the user can't log in")
		}
		return *access == class
	}
	known := slices.DeleteFunc(slices.Clone(*rights), func(r Right) bool { return !slices.Contains(AllRights, r) })
	switch {
	case len(known) == 0:
		l.add(field + ".rights: none of them is known, so the user can't log in")
	case len(known) < len(*rights):
		l.add(field + ".rights: some of them are not known and are not granted")
	}
	*rights = known
	return len(known) > 0
}

var (
	scheme       = regexp.MustCompile(`^\$([a-z0-9-]+)\$`)
	knownSchemes = []string{"argon2id", "2", "2a", "2b", "2x", "2y"} // those that Validate judges; it does not accept all of them
)

// unknownScheme reports whether a text is a password hash in PHC or crypt form of a kind that this version does not
// know.
func unknownScheme(hash string) bool {
	m := scheme.FindStringSubmatch(hash)
	return len(m) > 1 && !slices.Contains(knownSchemes, m[1])
}
