package soak

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
	"github.com/ftp-operator/ftp-operator/ftpd/manage"
)

const (
	host = "127.0.0.1"
	// passivePorts is the number of passive ports of the daemon.
	passivePorts = 10
	// These are the users. No other client ends the sessions of the first one.
	ordinary = "alice"
	victim   = "victim"
)

// daemon is the daemon's program in a process of its own.
type daemon struct {
	control, implicit, admin, api string
	root, file                    string
	config                        config.Config
	authority                     *authority.Authority
	process                       *os.Process
	exited                        chan error // gets one value
	http                          *http.Client

	mu    sync.Mutex
	tail  []string // the last lines of the log
	cries []string // lines that must not be in it
	odd   []string // lines about data connections that were not established: clients rarely cause those
}

// start runs the daemon until the test ends.
func start(t *testing.T) *daemon {
	t.Helper()
	ports := ftptest.FreePorts(t, host, 4+passivePorts)
	address := func(i int) string { return net.JoinHostPort(host, fmt.Sprint(ports[i])) }
	d := &daemon{
		control: address(0), implicit: address(1), admin: address(2), api: address(3),
		root: t.TempDir(), file: filepath.Join(t.TempDir(), "ftpd.yaml"), authority: authority.New(t),
		exited: make(chan error, 1), http: &http.Client{Timeout: patience},
	}
	t.Cleanup(d.http.CloseIdleConnections)
	none, off := config.Duration(0), false
	d.config = config.Config{
		APIVersion: config.APIVersion, Listen: []string{d.control}, AdminAddress: d.admin,
		Storage:  config.Storage{Root: d.root},
		Passive:  config.Passive{Ports: ports[4:], ReservationTimeout: config.Duration(time.Minute)},
		Active:   config.Active{Enabled: true},
		Timeouts: config.Timeouts{Data: config.Duration(*stall), Handshake: config.Duration(time.Minute)},
		Drain:    config.Drain{LameDuck: &none, Idle: config.Duration(5 * time.Second)},
		Bans:     config.Bans{Enabled: &off},
		Users: []config.User{
			ftptest.User(ordinary, ordinary, config.AccessReadWrite),
			ftptest.User(victim, victim, config.AccessReadWrite),
		},
	}
	d.config.TLS = &config.TLS{ImplicitListen: []string{d.implicit}}
	d.config.TLS.Certificates = []config.Certificate{d.certificate()}
	if err := d.configure(func(*config.Config) {}); err != nil {
		t.Fatal(err)
	}

	cmd := exec.Command(program, "--config", d.file, "--api", d.api, "--log-format", "json", "--log-level", "warn") //nolint:gosec // built by build
	cmd.Env = append(os.Environ(), "GORACE=halt_on_error=0 exitcode=66")
	out, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	d.process = cmd.Process
	go func() {
		d.read(out)
		d.exited <- cmd.Wait()
	}()
	t.Cleanup(func() { d.end(t) })
	ftptest.Eventually(t, "the daemon serves", func() bool {
		resp, err := d.http.Get("http://" + d.admin + "/readyz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		conn, err := net.Dial("tcp", d.implicit)
		if err == nil {
			_ = conn.Close()
		}
		return resp.StatusCode == http.StatusOK && err == nil
	})
	return d
}

// certificate issues the server's certificate again, into the same files.
func (d *daemon) certificate() config.Certificate {
	return d.authority.Issue("server", authority.Tomorrow(), "ftp.example.com", host)
}

// configure changes the configuration and writes it.
func (d *daemon) configure(edit func(*config.Config)) error {
	edit(&d.config)
	data, err := d.config.Marshal()
	if err != nil {
		return err
	}
	return d.write(data)
}

// write replaces the configuration file.
func (d *daemon) write(data []byte) error {
	if err := os.WriteFile(d.file+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(d.file+".new", d.file)
}

// read reads the log until it ends.
func (d *daemon) read(log io.Reader) {
	const kept = 300
	lines := bufio.NewReader(log)
	for {
		line, err := lines.ReadString('\n')
		d.mu.Lock()
		if line != "" {
			d.tail = append(d.tail[max(0, len(d.tail)-kept):], line)
		}
		if strings.Contains(line, `"code":425`) || strings.Contains(line, `"code":522`) {
			d.odd = append(d.odd[max(0, len(d.odd)-kept):], line)
		}
		if cries(line) {
			d.cries = append(d.cries, line)
		}
		d.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// cries reports whether a line of the log is about something that must not happen.
func cries(line string) bool {
	var entry struct{ Level, Msg string }
	if json.Unmarshal([]byte(line), &entry) != nil {
		return strings.Contains(line, "DATA RACE") || strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:")
	}
	expected := strings.HasPrefix(entry.Msg, "configuration refused") || strings.HasPrefix(entry.Msg, "TLS files can't be used")
	return entry.Level == "ERROR" && !expected
}

// log returns the end of the log, and the lines that must not be in it.
func (d *daemon) log() (tail, cries string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.tail, ""), strings.Join(d.cries, "")
}

// terminate sends SIGTERM.
func (d *daemon) terminate(t *testing.T) {
	t.Helper()
	if err := d.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// end ends the daemon if it still runs, and checks its log.
func (d *daemon) end(t *testing.T) {
	t.Helper()
	_ = d.process.Signal(syscall.SIGTERM)
	select {
	case err := <-d.exited:
		if err != nil {
			t.Errorf("ftpd: %v", err)
		}
	case <-time.After(patience):
		_ = d.process.Signal(syscall.SIGQUIT) // makes it print the stacks of its goroutines
		t.Errorf("ftpd does not end: %v", <-d.exited)
	}
	tail, cries := d.log()
	if cries != "" {
		t.Errorf("ftpd's log tells of\n%s", cries)
	}
	if t.Failed() {
		t.Logf("ftpd's log of data connections that did not come about:\n%s\nand its end:\n%s", strings.Join(d.odd, ""), tail)
	}
}

// ask sends a request to the management API, and decodes the answer into body if body is not nil.
func (d *daemon) ask(ctx context.Context, method, path string, body any) error {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+d.api+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set(manage.Header, "yes")
	resp, err := d.http.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode != http.StatusNotFound: // 404: what was to be removed is gone already
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	case body != nil:
		return json.NewDecoder(resp.Body).Decode(body)
	default:
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
}

func (d *daemon) sessions(ctx context.Context) ([]ftpd.SessionInfo, error) {
	var body struct{ Sessions []ftpd.SessionInfo }
	err := d.ask(ctx, http.MethodGet, "/v1/sessions", &body)
	return body.Sessions, err
}

// collect makes the daemon collect garbage, by requesting a heap profile.
func (d *daemon) collect(ctx context.Context) error {
	return d.ask(ctx, http.MethodGet, "/debug/pprof/heap?gc=1", nil)
}

// families are the metrics by name.
type families map[string]*dto.MetricFamily

func (d *daemon) scrape(ctx context.Context) (families, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.admin+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	resp, err := d.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	return parser.TextToMetricFamilies(resp.Body)
}

// sum returns the sum of a metric over all series that have these labels (as name=value).
func (f families) sum(name string, labels ...string) float64 {
	total := 0.0
series:
	for _, m := range f[name].GetMetric() {
		for _, want := range labels {
			found := false
			for _, l := range m.GetLabel() {
				found = found || l.GetName()+"="+l.GetValue() == want
			}
			if !found {
				continue series
			}
		}
		total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return total
}

// descriptors returns the number of the daemon's open descriptors, with pipes, which splice keeps for reuse, counted
// separately.
func (d *daemon) descriptors() (others, pipes int, err error) {
	dir := fmt.Sprintf("/proc/%d/fd", d.process.Pid)
	open, err := os.ReadDir(dir)
	if err != nil {
		return 0, 0, err
	}
	for _, fd := range open {
		switch to, err := os.Readlink(filepath.Join(dir, fd.Name())); {
		case err != nil: // closed meanwhile
		case strings.HasPrefix(to, "pipe:"):
			pipes++
		default:
			others++
		}
	}
	return others, pipes, nil
}

// temporary returns the daemon's own files below its root.
func (d *daemon) temporary() ([]string, error) {
	var found []string
	err := filepath.WalkDir(d.root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(e.Name(), ".ftpd-") {
			found = append(found, path)
		}
		return err
	})
	return found, err
}
