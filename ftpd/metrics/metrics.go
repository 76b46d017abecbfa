// Package metrics exposes a Server's metrics to Prometheus. Names, units and labels are in docs/metrics.md.
//
// The number of series does not depend on what clients do: no label holds an address, a user or a path. Metrics
// counts events as the server's observe.Observer (metrics.go), without allocations or locks. Other values are read
// from the server at each scrape (collector.go). Begin reading at Metrics. Of this module the package imports ftpd
// and packages below it.
package metrics

import (
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/bans"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
)

// namespace is the prefix of every name except those of Go's runtime and the process.
const namespace = "ftp"

// Metrics holds the metrics of one Server. New makes it; ftpd.New takes it as Options.Observer, and then Watch takes
// the server.
type Metrics struct {
	registry *prometheus.Registry

	connections   []prometheus.Counter // by observe.ConnectionResult
	logins        []prometheus.Counter // by observe.LoginResult
	commands      []prometheus.Counter // by position in ftpd.Verbs
	unknown       prometheus.Counter   // unknown commands
	replies       *prometheus.CounterVec
	repliesByCode [600]atomic.Pointer[prometheus.Counter]
	transfers     [observe.Directions][]prometheus.Counter // by observe.TransferResult
	active        []prometheus.Gauge                       // this and the next three by observe.Direction
	moved         []prometheus.Counter
	took          []prometheus.Observer
	firstByte     []prometheus.Observer
	unused        []prometheus.Counter                   // by observe.UnusedReservation
	handshakes    [observe.Channels][]prometheus.Counter // by observe.HandshakeResult
	bans          []prometheus.Counter                   // by bans.Event
	panics        prometheus.Counter
	loadsOK       prometheus.Counter
	loadsFailed   prometheus.Counter
	lastLoad      prometheus.Gauge
	lastLoadTime  prometheus.Gauge
}

var _ observe.Observer = (*Metrics)(nil)

// Buckets of the histograms, in seconds. Durations: from a small file on a fast network to a big one on a slow
// network. First bytes: from a fast network to the 30 seconds that a client may take to connect by default.
var (
	durationBuckets  = []float64{.005, .01, .05, .1, .5, 1, 5, 10, 30, 60, 300, 1800, 7200}
	firstByteBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30}
)

// New returns the metrics of a server that does not exist yet. version is the version of the program.
func New(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
		m.registry.MustRegister(v)
		return v
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
		m.registry.MustRegister(v)
		return v
	}
	histogram := func(name, help string, buckets []float64) *prometheus.HistogramVec {
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, []string{"direction"})
		m.registry.MustRegister(v)
		return v
	}
	m.connections = children(counter("connections_total", "Control connections, by what became of them.", "result").WithLabelValues, observe.ConnectionResults)
	m.logins = children(counter("logins_total", "Logins, by what became of them.", "result").WithLabelValues, observe.LoginResults)

	commands := counter("commands_total", "Commands that came; those that the server does not know are counted as unknown.", "command")
	for _, verb := range ftpd.Verbs() {
		m.commands = append(m.commands, commands.WithLabelValues(verb))
	}
	m.unknown = commands.WithLabelValues("unknown")
	m.replies = counter("replies_total", "Replies on control connections, by code (RFC 959 section 4.2).", "code")

	transfers := counter("transfers_total", "Transfers that have ended, by what became of them.", "direction", "result")
	for d := range observe.Directions {
		m.transfers[d] = children(transfers.MustCurryWith(prometheus.Labels{"direction": d.String()}).WithLabelValues, observe.TransferResults)
	}
	m.active = children(gauge("transfers_active", "Transfers that run, those that wait for their data connection included.", "direction").WithLabelValues, observe.Directions)
	m.moved = children(counter("transfer_bytes_total", "Octets moved over data connections, before TLS and after MODE Z.", "direction").WithLabelValues, observe.Directions)
	m.took = children(histogram("transfer_duration_seconds", "Time from a transfer's command to its end.", durationBuckets).WithLabelValues, observe.Directions)
	m.firstByte = children(histogram("transfer_first_byte_seconds",
		"Time from a transfer's command until its first byte could move: the data connection was there, and its TLS agreed upon.",
		firstByteBuckets).WithLabelValues, observe.Directions)

	m.unused = children(counter("passive_reservations_unused_total",
		"Reservations of passive ports that ended without a data connection, by why: the client can't reach what PASV or EPSV told it.", "why").WithLabelValues, observe.UnusedReservations)

	handshakes := counter("tls_handshakes_total", "Handshakes of TLS; a data connection should resume its control connection's session.", "channel", "result")
	for c := range observe.Channels {
		m.handshakes[c] = children(handshakes.MustCurryWith(prometheus.Labels{"channel": c.String()}).WithLabelValues, observe.HandshakeResults)
	}
	banned := counter("bans_total", "Bans that began, by the reason.", "reason")
	for e := range bans.Events {
		m.bans = append(m.bans, banned.WithLabelValues(strings.ReplaceAll(e.String(), " ", "_")))
	}
	m.panics = counter("panics_total", "Panics of sessions and transfers, which ended the session: a fault of the server's program. The log has the stack.").WithLabelValues()
	loads := counter("config_loads_total", "Configurations that were put in force (ok), or refused (failed) while the old one went on.", "result")
	m.loadsOK, m.loadsFailed = loads.WithLabelValues("ok"), loads.WithLabelValues("failed")
	m.lastLoad = gauge("config_last_load_successful", "Whether the last configuration was put in force (1), or refused (0).").WithLabelValues()
	m.lastLoadTime = gauge("config_last_load_success_timestamp_seconds", "When the last configuration that was put in force was.").WithLabelValues()
	gauge("build_info", "Always 1: the program's version, and that of Go.", "version", "goversion").WithLabelValues(version, runtime.Version()).Set(1)

	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// children returns the metrics of a vector, one for each value of an enumeration.
func children[E interface {
	~int
	fmt.Stringer
}, M any](of func(...string) M, count E) []M {
	all := make([]M, 0, count)
	for value := range count {
		all = append(all, of(value.String()))
	}
	return all
}

// Watch adds the metrics that are read from the server at each scrape. It must be called once, with the server whose
// Observer m is.
func (m *Metrics) Watch(s *ftpd.Server) { m.registry.MustRegister(newCollector(s)) }

// Handler returns an HTTP handler that serves the metrics in Prometheus' formats.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		// Metrics that are missing because of a hanging file system or a bug must not hide the others.
		ErrorHandling: promhttp.ContinueOnError,
		Registry:      m.registry,
		// A scraper sends one request at a time; more come from a client that hangs or attacks.
		MaxRequestsInFlight: 4,
	})
}

// Connection counts a control connection.
func (m *Metrics) Connection(r observe.ConnectionResult) { m.connections[r].Inc() }

// Login counts a login.
func (m *Metrics) Login(r observe.LoginResult) { m.logins[r].Inc() }

// Command counts a command.
func (m *Metrics) Command(verb int) {
	if verb < 0 {
		m.unknown.Inc()
		return
	}
	m.commands[verb].Inc()
}

// Reply counts a reply.
func (m *Metrics) Reply(code int) {
	if code < 0 || code >= len(m.repliesByCode) {
		return // FTP has no such code
	}
	known := m.repliesByCode[code].Load()
	if known == nil {
		child := m.replies.WithLabelValues(strconv.Itoa(code))
		known = &child
		m.repliesByCode[code].Store(known)
	}
	(*known).Inc()
}

// TransferBegan counts a transfer that runs.
func (m *Metrics) TransferBegan(d observe.Direction) { m.active[d].Inc() }

// FirstByte records the time from a transfer's command until its data connection was ready.
func (m *Metrics) FirstByte(d observe.Direction, after time.Duration) {
	m.firstByte[d].Observe(after.Seconds())
}

// Moved counts octets on data connections.
func (m *Metrics) Moved(d observe.Direction, n int64) { m.moved[d].Add(float64(n)) }

// TransferEnded counts a transfer that has ended.
func (m *Metrics) TransferEnded(d observe.Direction, r observe.TransferResult, took time.Duration) {
	m.active[d].Dec()
	m.transfers[d][r].Inc()
	m.took[d].Observe(took.Seconds())
}

// Unused counts a reservation for which no data connection came.
func (m *Metrics) Unused(why observe.UnusedReservation) { m.unused[why].Inc() }

// Handshake counts a TLS handshake.
func (m *Metrics) Handshake(c observe.Channel, r observe.HandshakeResult) { m.handshakes[c][r].Inc() }

// Banned counts a ban.
func (m *Metrics) Banned(reason bans.Event) { m.bans[reason].Inc() }

// Panicked counts a panic.
func (m *Metrics) Panicked() { m.panics.Inc() }

// ConfigLoaded records whether a configuration was put in force.
func (m *Metrics) ConfigLoaded(ok bool) {
	if !ok {
		m.loadsFailed.Inc()
		m.lastLoad.Set(0)
		return
	}
	m.loadsOK.Inc()
	m.lastLoad.Set(1)
	m.lastLoadTime.SetToCurrentTime()
}
