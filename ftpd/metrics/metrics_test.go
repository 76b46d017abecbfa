package metrics_test

import (
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/ftp-operator/ftp-operator/ftpd/observe"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/bans"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
	"github.com/ftp-operator/ftp-operator/ftpd/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scraped is a server with its metrics.
type scraped struct {
	*ftptest.Server
	*metrics.Metrics
}

func start(t *testing.T, edits ...func(*config.Config)) *scraped {
	t.Helper()
	m := metrics.New("v0.0.0-test")
	s := ftptest.StartWith(t, ftpd.Options{Observer: m}, edits...)
	m.Watch(s.Server)
	return &scraped{s, m}
}

// text returns the page of the metrics.
func (s *scraped) text(t *testing.T) string {
	t.Helper()
	w := httptest.NewRecorder()
	s.Metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func (s *scraped) families(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(s.text(t)))
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// value returns the value of a series, written as name{label="value",...}; for a histogram its count; -1 if the
// series does not exist.
func (s *scraped) value(t *testing.T, series string) float64 {
	t.Helper()
	name, rest, _ := strings.Cut(series, "{")
	want := strings.Split(strings.TrimSuffix(rest, "}"), ",")
	if rest == "" {
		want = nil
	}
	for _, m := range s.families(t)[name].GetMetric() {
		var labels []string
		for _, l := range m.GetLabel() {
			labels = append(labels, l.GetName()+`="`+l.GetValue()+`"`)
		}
		if !slices.Equal(labels, want) {
			continue
		}
		switch {
		case m.GetCounter() != nil:
			return m.GetCounter().GetValue()
		case m.GetGauge() != nil:
			return m.GetGauge().GetValue()
		default:
			return float64(m.GetHistogram().GetSampleCount())
		}
	}
	return -1
}

// expect waits until the series have these values: the end of a transfer is counted concurrently with its reply.
func (s *scraped) expect(t *testing.T, want map[string]float64) {
	t.Helper()
	for _, series := range slices.Sorted(maps.Keys(want)) {
		s.await(t, series, want[series])
	}
}

func (s *scraped) await(t *testing.T, series string, want float64) {
	t.Helper()
	last := want
	defer func() {
		if last != want {
			t.Logf("%s was %v at last, not %v", series, last, want)
		}
	}()
	ftptest.Eventually(t, series, func() bool {
		last = s.value(t, series)
		return last == want
	})
}

func TestMetricsTellWhatHappened(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *config.Config) {
		c.Users[0].Quota = config.Quota{Bytes: 100}
		c.Users = append(c.Users, ftptest.User("poor", "poor", config.AccessReadWrite))
		c.Users[len(c.Users)-1].Quota = config.Quota{Files: 5}
	})
	c := ftptest.Dial(t, s.Addr)
	c.Talk(`
		S: 220 *
		C: USER alice
		S: 331 *
		C: PASS wrong
		S: 530 *
		C: FROB
		S: 500 *`)
	s.expect(t, map[string]float64{`ftp_sessions{state="pre_login"}`: 1, `ftp_sessions{state="logged_in"}`: 0})
	c.LoginAs("alice")
	c.Must("TYPE I", "200")
	if reply := c.Put("STOR file", "hello"); reply[:3] != "226" {
		t.Fatal(reply)
	}
	if got := c.Get("RETR file"); got != "hello" {
		t.Fatal(got)
	}
	list := c.Get("LIST")
	if reply := c.Put("STOR big", strings.Repeat("x", 200)); reply[:3] != "552" {
		t.Fatal(reply)
	}
	s.expect(t, map[string]float64{
		`ftp_connections_total{result="taken"}`:                                       1,
		`ftp_logins_total{result="ok"}`:                                               1,
		`ftp_logins_total{result="incorrect"}`:                                        1,
		`ftp_commands_total{command="USER"}`:                                          2,
		`ftp_commands_total{command="STOR"}`:                                          2,
		`ftp_commands_total{command="unknown"}`:                                       1,
		`ftp_replies_total{code="226"}`:                                               3,
		`ftp_replies_total{code="500"}`:                                               1,
		`ftp_transfers_total{direction="upload",result="ok"}`:                         1,
		`ftp_transfers_total{direction="upload",result="quota"}`:                      1,
		`ftp_transfers_total{direction="download",result="ok"}`:                       1,
		`ftp_transfers_total{direction="listing",result="ok"}`:                        1,
		`ftp_transfer_bytes_total{direction="download"}`:                              5,
		`ftp_transfer_bytes_total{direction="listing"}`:                               float64(len(list)),
		`ftp_transfer_duration_seconds{direction="upload"}`:                           2,
		`ftp_transfer_first_byte_seconds{direction="download"}`:                       1,
		`ftp_transfers_active{direction="upload"}`:                                    0,
		`ftp_sessions{state="pre_login"}`:                                             0,
		`ftp_sessions{state="logged_in"}`:                                             1,
		`ftp_passive_ports`:                                                           4,
		`ftp_passive_ports_in_use`:                                                    0,
		`ftp_passive_reservations_total`:                                              4,
		`ftp_passive_connections_total`:                                               4,
		`ftp_quota_users{level="ok"}`:                                                 1,
		`ftp_quota_users{level="uncounted"}`:                                          1,
		`ftp_ready`:                                                                   1,
		`ftp_config_loads_total{result="ok"}`:                                         1,
		`ftp_config_info{hash="` + s.Status().ConfigHash + `"}`:                       1,
		`ftp_build_info{goversion="` + runtime.Version() + `",version="v0.0.0-test"}`: 1,
	})
	if s.value(t, "ftp_storage_available_bytes") <= 0 || s.value(t, "process_open_fds") <= 0 {
		t.Error("no word of the disk or the process")
	}

	before := s.Status().ConfigHash
	if err := s.Edit(t, func(c *config.Config) { c.Listen = []string{":1"} }); err == nil {
		t.Fatal("a static change was taken")
	}
	s.expect(t, map[string]float64{
		`ftp_config_loads_total{result="failed"}`: 1,
		`ftp_config_last_load_successful`:         0,
		`ftp_config_info{hash="` + before + `"}`:  1,
	})
}

func TestPassivePorts(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *config.Config) {
		c.Passive.Ports = c.Passive.Ports[:1]
		c.Passive.PeerCheck = config.PeerCheckRelaxed // a port is reserved for one session at a time
	})
	holder := ftptest.Login(t, s.Addr, "alice")
	holder.Must("EPSV", "229")
	s.expect(t, map[string]float64{`ftp_passive_ports_in_use`: 1, `ftp_passive_reservations_pending`: 1})
	if err := s.Edit(t, func(c *config.Config) { c.Passive.ReservationTimeout = config.Duration(time.Second) }); err != nil {
		t.Fatal(err)
	}
	holder.Must("EPSV", "229")
	s.expect(t, map[string]float64{`ftp_passive_reservations_expired_total`: 1, `ftp_passive_ports_in_use`: 0})

	stranger, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", s.Config.Passive.Ports.String()))
	if err != nil {
		t.Fatal(err)
	}
	_ = stranger.Close()
	s.expect(t, map[string]float64{`ftp_passive_strangers_total`: 1})

	holder.Must("EPSV", "229")
	holder.Must("LIST", "150")
	if reply := holder.Reply(); reply[:3] != "425" {
		t.Fatal(reply)
	}
	s.expect(t, map[string]float64{`ftp_transfers_total{direction="listing",result="no_connection"}`: 1})
}

func TestHandshakesAndBans(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := start(t, a.WithTLS(), func(c *config.Config) { c.Bans.Failures = 2 })
	s.Write(t, "file", "hello")
	c := ftptest.LoginTLS(t, s.Addr, "alice", a.Client())
	if got := c.Get("RETR file"); got != "hello" {
		t.Fatal(got)
	}
	s.expect(t, map[string]float64{
		`ftp_tls_handshakes_total{channel="control",result="full"}`: 1,
		`ftp_tls_handshakes_total{channel="data",result="resumed"}`: 1,
		`ftp_certificate_files_valid`:                               1,
	})
	if left := time.Until(time.Unix(int64(s.value(t, `ftp_certificate_expiration_timestamp_seconds{index="0",names="ftp.example.com"}`)), 0)); left < 24*time.Hour {
		t.Errorf("the certificate ends in %v", left)
	}
	guesser := ftptest.Dial(t, s.Addr)
	guesser.Reply()
	for _, password := range []string{"wrong", "wronger"} {
		guesser.Must("USER alice", "331")
		guesser.Do("PASS " + password)
	}
	s.expect(t, map[string]float64{`ftp_bans_total{reason="failed_logins"}`: 1, `ftp_bans_active`: 1})
	if reply := ftptest.Dial(t, s.Addr).Reply(); reply[:3] != "421" {
		t.Fatal(reply)
	}
	s.expect(t, map[string]float64{`ftp_connections_total{result="banned"}`: 1})
}

// Counting an event must cost next to nothing.
func TestNoAllocations(t *testing.T) {
	m := metrics.New("")
	m.Reply(226)
	for name, event := range map[string]func(){
		"Connection":    func() { m.Connection(observe.ConnectionTaken) },
		"Login":         func() { m.Login(observe.LoginOK) },
		"Command":       func() { m.Command(3); m.Command(-1) },
		"Reply":         func() { m.Reply(226) },
		"TransferBegan": func() { m.TransferBegan(observe.Upload) },
		"Unused":        func() { m.Unused(observe.UnusedExpired) },
		"FirstByte":     func() { m.FirstByte(observe.Upload, time.Second) },
		"Moved":         func() { m.Moved(observe.Download, 1<<20) },
		"TransferEnded": func() { m.TransferEnded(observe.Listing, observe.TransferOK, time.Second) },
		"Handshake":     func() { m.Handshake(observe.DataChannel, observe.HandshakeResumed) },
		"Banned":        func() { m.Banned(bans.Bounce) },
		"ConfigLoaded":  func() { m.ConfigLoaded(true) },
	} {
		if n := testing.AllocsPerRun(100, event); n > 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

// A reply with an impossible code must not cause a panic.
func TestOddCodes(t *testing.T) {
	m := metrics.New("")
	m.Reply(-1)
	m.Reply(600)
}

// The metrics must obey the rules of `promtool check metrics`.
func TestLint(t *testing.T) {
	t.Parallel()
	s := everything(t)
	problems, err := promlint.New(strings.NewReader(s.text(t))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if !strings.HasPrefix(p.Metric, "go_") { // those of Go itself
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// everything returns a server that has metrics of every kind.
func everything(t *testing.T) *scraped {
	t.Helper()
	a := authority.New(t)
	s := start(t, a.WithTLS(), func(c *config.Config) { c.Users[0].Quota = config.Quota{Bytes: 1000} })
	ftptest.Login(t, s.Addr, "alice").Must("QUIT", "221")
	return s
}
