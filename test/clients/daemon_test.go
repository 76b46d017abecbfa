package clients

import (
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

// daemon is a running ftpd.
type daemon struct {
	host, port string
	implicit   string // the port of implicit TLS, if the daemon has TLS
	ca         string // the file with the certificate of its authority
	root       string
	pid        int
	log        *ftptest.Log
}

// start runs the daemon on an address until the test ends. If secure is true it requires TLS everywhere.
func start(t *testing.T, host string, secure bool, reuse config.SessionReuse, edits ...func(*config.Config)) *daemon {
	t.Helper()
	return startAt(t, "debug", host, secure, reuse, edits...)
}

// startAt does the same with a level of the log.
func startAt(t *testing.T, level, host string, secure bool, reuse config.SessionReuse, edits ...func(*config.Config)) *daemon {
	t.Helper()
	ports := freePorts(t, host, 10)
	d := &daemon{host: host, port: fmt.Sprint(ports[0]), root: t.TempDir(), log: &ftptest.Log{}}
	noLameDuck := config.Duration(0)
	c := config.Config{
		APIVersion: config.APIVersion,
		Listen:     []string{net.JoinHostPort(host, d.port)},
		Storage:    config.Storage{Root: d.root},
		Passive:    config.Passive{Ports: ports[2:]},
		Active:     config.Active{Enabled: true},
		Users:      []config.User{ftptest.User("alice", ".", config.AccessReadWrite)},
		Drain:      config.Drain{LameDuck: &noLameDuck},
	}
	if !strings.Contains(host, ":") {
		c.Passive.AdvertisedAddress = host
	}
	listeners := 1
	if secure {
		listeners = 2
		d.implicit = fmt.Sprint(ports[1])
		a := authority.New(t)
		d.ca = a.File
		c.TLS = &config.TLS{
			Certificates:   []config.Certificate{a.Issue("server", authority.Tomorrow(), "localhost", ipv4, ipv6)},
			ImplicitListen: []string{net.JoinHostPort(host, d.implicit)},
			Login:          config.PolicyRequired,
			Data:           config.PolicyRequired,
			SessionReuse:   reuse,
		}
	}
	for _, edit := range edits {
		edit(&c)
	}
	file := filepath.Join(t.TempDir(), "ftpd.yaml")
	yaml, err := c.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, yaml)
	cmd := exec.Command(ftpd, "--config", file, "--log-level", level, "--log-format", "json") //nolint:gosec // built by build
	cmd.Stderr = d.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.pid = cmd.Process.Pid
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Process.Signal(syscall.SIGINT) // the second signal ends it at once; two of the same kind could be merged into one
		if err := <-exited; err != nil {
			t.Errorf("ftpd: %v", err)
		}
		if t.Failed() {
			t.Logf("ftpd's log:\n%s", d.log)
		}
	})
	ftptest.Eventually(t, "ftpd serves", func() bool {
		select {
		case err := <-exited:
			exited <- err
			t.Fatalf("ftpd ended: %v", err)
		default:
		}
		log := d.entries(0)
		return count(log, "serving") == listeners && count(log, "passive ports bound") == 1
	})
	return d
}

var (
	portsMu sync.Mutex
	taken   = map[uint16]bool{}
)

// freePorts returns ports that no other test of this package has used.
func freePorts(t *testing.T, host string, n int) config.PortSet {
	t.Helper()
	portsMu.Lock()
	defer portsMu.Unlock()
search:
	for {
		ports := ftptest.FreePorts(t, host, n)
		for _, p := range ports {
			if taken[p] {
				continue search
			}
		}
		for _, p := range ports {
			taken[p] = true
		}
		return ports
	}
}

// entry is a line of the daemon's log.
type entry struct {
	Msg      string
	Session  uint64
	Verb     string
	Argument string
	Version  string // of TLS

	// The fields below are those of a line of the audit log.
	Event  string
	Result string
	TLS    bool
	Type   string
	Path   string
	Bytes  int64
	Code   int
	Error  string
}

// entries returns the log's lines after the first n bytes.
func (d *daemon) entries(n int) []entry {
	var all []entry
	for line := range strings.Lines(d.log.String()[n:]) {
		var e entry
		if json.Unmarshal([]byte(line), &e) == nil {
			all = append(all, e)
		}
	}
	return all
}

// ended waits until the sessions that started after the log's first n bytes, at least one, have ended, and returns
// the log's lines since then.
func (d *daemon) ended(t *testing.T, n int) []entry {
	t.Helper()
	var log []entry
	ftptest.Eventually(t, "the client's sessions end", func() bool {
		log = d.entries(n)
		begun := count(log, "connected")
		return begun > 0 && begun == count(log, "disconnected")
	})
	return log
}

func count(log []entry, msg string) int {
	n := 0
	for _, e := range log {
		if e.Msg == msg {
			n++
		}
	}
	return n
}

// sent reports whether a client has sent the command.
func sent(log []entry, verb string) bool {
	for _, e := range log {
		if e.Msg == "command" && e.Verb == verb {
			return true
		}
	}
	return false
}

// audit returns the lines of the audit log with one of the events.
func audit(log []entry, events ...string) []entry {
	var found []entry
	for _, e := range log {
		for _, event := range events {
			if e.Msg == "audit" && e.Event == event {
				found = append(found, e)
			}
		}
	}
	return found
}
