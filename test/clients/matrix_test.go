package clients

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

// client is a client program and its capabilities.
type client struct {
	programs []string // the first one is used by most calls
	pkg      string   // the name of the Debian package
	// host is the address to use for each mode: many clients use EPSV and EPRT for IPv6 only.
	host map[mode]string
	// do returns the call of the client for an operation.
	do map[op]func(e env) invocation
	// cannot are the reasons for every combination that host and do leave out, and for others that fail through no
	// fault of the daemon.
	cannot []gap
	// noReuse is the reason why the client's data connections do not resume the control connection's TLS session;
	// empty: they do, and the daemon requires it.
	noReuse string
	// version is the TLS version that the client must have used; empty: any.
	version string
}

// gap is what a client can't do. An empty list means all.
type gap struct {
	modes      []mode
	securities []security
	ops        []op
	why        string
}

func (g gap) covers(m mode, s security, o op) bool {
	return (g.modes == nil || slices.Contains(g.modes, m)) &&
		(g.securities == nil || slices.Contains(g.securities, s)) &&
		(g.ops == nil || slices.Contains(g.ops, o))
}

var (
	activeModes = []mode{port, eprt}
	withTLS     = []security{explicit, implicit}
)

const (
	ipv4 = "127.0.0.1"
	ipv6 = "::1"
)

// plan returns the operations to test for each mode and security. A gap that excludes nothing is an error, and so is
// a combination that is excluded without a gap.
func (c client) plan(t *testing.T) map[mode]map[security][]op {
	t.Helper()
	all, done, used := map[mode]map[security][]op{}, 0, make([]bool, len(c.cannot))
	for _, m := range modes {
		all[m] = map[security][]op{}
		for _, s := range securities {
		operations:
			for _, o := range ops {
				for i, g := range c.cannot {
					if g.covers(m, s, o) {
						used[i] = true
						continue operations
					}
				}
				if c.host[m] == "" || c.do[o] == nil {
					t.Errorf("%s: %s, %s, %s: neither done nor explained", c.programs[0], m, s, o)
					continue
				}
				all[m][s] = append(all[m][s], o)
				done++
			}
		}
	}
	t.Logf("%s does %d of %d combinations", c.programs[0], done, len(modes)*len(securities)*len(ops))
	for i, g := range c.cannot {
		t.Logf("not possible: %s, %s: %s", c.programs[0], g, g.why)
		if !used[i] {
			t.Errorf("the reason %q is for nothing", g.why)
		}
	}
	if c.noReuse != "" {
		t.Logf("not possible: %s, sessionReuse Require: %s", c.programs[0], c.noReuse)
	}
	return all
}

func (g gap) String() string {
	text := []string{"every mode", "every security", "every operation"}
	if g.modes != nil {
		text[0] = fmt.Sprint(g.modes)
	}
	if g.securities != nil {
		text[1] = fmt.Sprint(g.securities)
	}
	if g.ops != nil {
		text[2] = fmt.Sprint(g.ops)
	}
	return strings.Join(text, ", ")
}

// matrix tests every operation in every mode, in clear text and with TLS, and prints what the client can't do.
func matrix(t *testing.T, c client) {
	t.Helper()
	t.Parallel()
	for _, p := range c.programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Fatalf("%s is not installed: apt-get install %s", p, c.pkg)
		}
	}
	for m, bySecurity := range c.plan(t) {
		for s, todo := range bySecurity {
			t.Run(fmt.Sprintf("%s, %s", m, s), func(t *testing.T) {
				t.Parallel()
				c.cell(t, m, s, todo)
			})
		}
	}
}

// cell tests operations in one mode and security, one after the other.
func (c client) cell(t *testing.T, m mode, s security, todo []op) {
	reuse := config.SessionReuseRequire
	if c.noReuse != "" {
		reuse = config.SessionReusePrefer
	}
	e := env{daemon: start(t, c.host[m], s != plain, reuse), mode: m, security: s}
	e.port, e.ca = e.daemon.port, e.daemon.ca
	if s == implicit {
		e.port = e.daemon.implicit
	}
	for _, o := range todo {
		t.Run(string(o), func(t *testing.T) {
			e := e
			e.dir, e.local = strings.ReplaceAll(string(o), " ", "-"), t.TempDir()
			c.try(t, e, o)
		})
	}
	if e.secure() {
		t.Run("another authority", func(t *testing.T) {
			e := e
			e.dir, e.local, e.ca = "another-authority", t.TempDir(), authority.New(t).File
			c.distrust(t, e)
		})
	}
}

func (c client) try(t *testing.T, e env, o op) {
	s := scenarios[o]
	if err := os.Mkdir(e.remote(""), 0o750); err != nil {
		t.Fatal(err)
	}
	s.prepare(t, e)
	seen := len(e.log.String())
	out, err := e.run(t, c.programs[0], c.do[o](e))
	if err != nil {
		t.Error(err)
	}
	log := e.ended(t, seen)
	s.check(t, e, out)
	s.audit(t, e, log)
	c.verify(t, e, log)
	if s.verb != "" && !sent(log, s.verb) {
		t.Errorf("the client sent no %s", s.verb)
	}
	for _, other := range modes {
		if was := sent(log, string(other)); was && other != e.mode || !was && other == e.mode && s.data {
			t.Errorf("%s: sent=%v, in mode %s", other, was, e.mode)
		}
	}
	if t.Failed() {
		t.Logf("the client said:\n%s\nthe daemon's log:\n%s", out, e.log.String()[seen:])
	}
}

// audit checks the lines of the audit log for the operation.
func (s scenario) audit(t *testing.T, e env, log []entry) {
	t.Helper()
	if s.event == "" {
		return
	}
	var paths []string
	for _, line := range audit(log, s.event) {
		paths = append(paths, strings.TrimPrefix(line.Path, path.Join("/", e.dir)+"/"))
		if line.Result != "ok" || line.TLS != e.secure() || s.typ != "" && line.Type != s.typ {
			t.Errorf("in the audit log: %+v", line)
		}
	}
	slices.Sort(paths)
	want := s.paths
	if s.event == "download" && !slices.Contains(paths, emptyPath) {
		// Some clients create empty files themselves, without a transfer.
		want = slices.DeleteFunc(slices.Clone(want), func(p string) bool { return p == emptyPath })
	}
	if !slices.Equal(paths, want) {
		t.Errorf("%s in the audit log: %q, want %q", s.event, paths, want)
	}
}

// verify checks that the sessions were as secure as required. For listings, which are not in the audit log, this
// follows from what the daemon requires.
func (c client) verify(t *testing.T, e env, log []entry) {
	t.Helper()
	logins := audit(log, "login")
	for _, line := range logins {
		if line.TLS != e.secure() || line.Result != "ok" {
			t.Errorf("in the audit log: %+v", line)
		}
	}
	if len(logins) == 0 {
		t.Error("no login in the audit log")
	}
	if was := sent(log, "AUTH"); was != (e.security == explicit) {
		t.Errorf("AUTH: sent=%v, with %s", was, e.security)
	}
	for _, line := range log {
		if line.Msg == "TLS" && c.version != "" && line.Version != c.version {
			t.Errorf("the client used %s", line.Version)
		}
	}
}

// distrust checks that the client refuses a server whose certificate comes from an authority that it does not know.
func (c client) distrust(t *testing.T, e env) {
	s := scenarios[download]
	if err := os.Mkdir(e.remote(""), 0o750); err != nil {
		t.Fatal(err)
	}
	s.prepare(t, e)
	seen := len(e.log.String())
	out, err := e.run(t, c.programs[0], c.do[download](e))
	log := e.ended(t, seen)
	if err == nil || len(audit(log, "login", "download")) > 0 {
		t.Errorf("%v\n%s\n%s", err, out, e.log.String()[seen:])
	}
}
