package config

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ftp-operator/ftp-operator/internal/passhash"
	"github.com/ftp-operator/ftp-operator/internal/reserved"
)

// These are limits that Validate enforces.
const (
	maxNameLength     = 64
	maxGreetingLength = 512
)

// AnonymousNames are the user names of anonymous logins (RFC 1635).
var AnonymousNames = []string{"anonymous", "ftp"}

// Validate checks the whole configuration, whose defaults must be set. The error joins all problems; each names its
// field as in YAML, and the remedy. It contains no password hash.
func (c *Config) Validate() error {
	var p problems
	if c.APIVersion != APIVersion {
		p.add("apiVersion", "%q is not known to this daemon: write %s", c.APIVersion, APIVersion)
	}
	p.greeting(c.Greeting)
	p.charset("charset", c.Charset)
	for i, host := range c.Hosts {
		p.hostPattern(fmt.Sprintf("hosts[%d]", i), host)
	}
	p.networks("allowedNetworks", c.AllowedNetworks)
	p.storage(&c.Storage)
	p.addresses(c)
	p.passive(&c.Passive)
	p.tls(c.TLS)
	p.users(c.Users)
	p.home("anonymous.home", c.Anonymous.Home)
	p.access("anonymous.access", c.Anonymous.Access)
	p.rights("anonymous.rights", c.Anonymous.Rights)
	p.quota("anonymous.quota", c.Anonymous.Quota)
	p.times(c)
	p.limits(&c.Limits)
	p.bans(&c.Bans)
	p.proxyProtocol(&c.ProxyProtocol)
	p.advertisedFrom(c)
	return errors.Join(p...)
}

// problems collects what is wrong.
type problems []error

func (p *problems) add(field, format string, args ...any) {
	*p = append(*p, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
}

func (p *problems) greeting(text string) {
	if !printable(text) {
		p.add("greeting", "holds a line break or another character that can't be printed: write one plain line")
	}
	if len(text) > maxGreetingLength {
		p.add("greeting", "has %d bytes: shorten it to %d", len(text), maxGreetingLength)
	}
}

func (p *problems) passive(c *Passive) {
	switch {
	case len(c.Ports) > 0 && c.PortsFile != "":
		p.add("passive", "ports and portsFile are both set: remove one")
	case len(c.Ports) == 0 && c.PortsFile == "":
		p.add("passive", "neither ports nor portsFile is set: write ports, as in 30000-30009")
	}
	if len(c.Ports) > 0 && c.Ports[0] < MinPassivePort {
		p.add("passive.ports", "%d is outside %d-%d", c.Ports[0], MinPassivePort, MaxPassivePort)
	}
	p.advertised("passive.advertisedAddress", c.AdvertisedAddress)
	p.overrides(c.Overrides)
	if c.PeerCheck != PeerCheckStrict && c.PeerCheck != PeerCheckRelaxed {
		p.add("passive.peerCheck", "%q is unknown: write %s or %s", c.PeerCheck, PeerCheckStrict, PeerCheckRelaxed)
	}
	p.between("passive.reservationTimeout", c.ReservationTimeout, time.Second, 5*time.Minute)
}

func (p *problems) advertised(field, address string) {
	switch ip, err := netip.ParseAddr(address); {
	case address == "", err != nil && isHostName(address):
	case err != nil:
		p.add(field, "%q is neither an IP address nor a host name", address)
	case ip.IsUnspecified(), ip.IsMulticast():
		p.add(field, "%s is no address that a client can connect to: write the one by which clients reach this server", ip)
	}
}

func (p *problems) users(users []User) {
	first := make(map[string]int, len(users))
	for i, u := range users {
		field := fmt.Sprintf("users[%d].", i)
		p.name(field+"name", u.Name)
		if j, taken := first[u.Name]; taken {
			p.add(field+"name", "%q is the name of users[%d] too: names must be unique", u.Name, j)
		} else {
			first[u.Name] = i
		}
		if u.PasswordHash == "" {
			p.add(field+"passwordHash", "is missing: give an argon2id or bcrypt hash of the password")
		} else if err := passhash.Check(u.PasswordHash); err != nil {
			p.add(field+"passwordHash", "%v", err)
		}
		p.home(field+"home", u.Home)
		p.access(field+"access", u.Access)
		p.rights(field+"rights", u.Rights)
		p.quota(field+"quota", u.Quota)
	}
}

func (p *problems) name(field, name string) {
	switch {
	case name == "":
		p.add(field, "is missing")
	case len(name) > maxNameLength:
		p.add(field, "has %d bytes: shorten it to %d", len(name), maxNameLength)
	case slices.Contains(AnonymousNames, name):
		p.add(field, "%q is kept for anonymous login: choose another, or use the field anonymous", name)
	case !printable(name) || strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || r == '/' }):
		p.add(field, "%q holds a blank, a slash or a character that can't be printed: choose another", name)
	}
}

// home checks a relative slash path. The path must be in its shortest form, so that two homes are the same directory
// if and only if their texts are equal.
func (p *problems) home(field, home string) {
	switch clean := path.Clean(home); {
	case home == "":
		p.add(field, "is missing: write a path below the storage root, or \".\" for the root itself")
	case path.IsAbs(home):
		p.add(field, "%q is absolute: use a path relative to the storage root", home)
	case clean == ".." || strings.HasPrefix(clean, "../"):
		p.add(field, "%q leaves the storage root: use a path below it", home)
	case clean != home:
		p.add(field, "%q is not in its shortest form: write %q", home, clean)
	case reserved.Path(home):
		p.add(field, "%q has a part that begins with %s, in some spelling: such names belong to the daemon; rename that part", home, reserved.Prefix)
	case !printable(home):
		p.add(field, "%q holds a character that can't be printed: choose another", home)
	}
}

func (p *problems) access(field string, access Access) {
	switch access {
	case AccessReadOnly, AccessReadWrite, AccessUploadOnly:
	default:
		p.add(field, "%q is unknown: write %s, %s or %s", access, AccessReadOnly, AccessReadWrite, AccessUploadOnly)
	}
}

func (p *problems) times(c *Config) {
	const day = 24 * time.Hour
	p.between("timeouts.idle", c.Timeouts.Idle, 10*time.Second, day)
	p.between("timeouts.login", c.Timeouts.Login, time.Second, 10*time.Minute)
	p.between("timeouts.data", c.Timeouts.Data, time.Second, time.Hour)
	p.between("timeouts.handshake", c.Timeouts.Handshake, time.Second, time.Minute)
	if c.Drain.LameDuck != nil {
		p.between("drain.lameDuck", *c.Drain.LameDuck, 0, 5*time.Minute)
	}
	p.between("drain.grace", c.Drain.Grace, time.Second, 7*day)
	p.between("drain.idle", c.Drain.Idle, time.Second, day)
}

func (p *problems) between(field string, d Duration, least, most time.Duration) {
	if d.Std() < least || d.Std() > most {
		p.add(field, "%s is out of range: write %s to %s", d, least, most)
	}
}

// printable reports whether the text is valid UTF-8 without control characters and the like.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) })
}
