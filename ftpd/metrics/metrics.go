// Package metrics shows a Server to Prometheus. Names, units and labels are in docs/metrics.md.
//
// How many series there are does not depend on what clients do: no label holds an address, a user
// or a path. Events are counted as an ftpd.Observer, without an allocation or a lock; what can be
// looked up is looked up when somebody asks for the metrics.
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

// namespace begins every name but those of Go's runtime and the process.
const namespace = "ftp"

// Metrics are the metrics of one Server. Make them with New, hand them to ftpd.New as its Observer,
// and Watch the server that it returns.
type Metrics struct {
	registry *prometheus.Registry

	connections   []prometheus.Counter // by ftpd.ConnectionResult
	logins        []prometheus.Counter // by ftpd.LoginResult
	commands      []prometheus.Counter // as ftpd.Verbs
	unknown       prometheus.Counter   // command
	replies       *prometheus.CounterVec
	repliesByCode [600]atomic.Pointer[prometheus.Counter]
	transfers     [observe.Directions][]prometheus.Counter // by ftpd.TransferResult
	active        []prometheus.Gauge                       // and what follows, by ftpd.Direction
	moved         []prometheus.Counter
	took          []prometheus.Observer
	firstByte     []prometheus.Observer
	unused        []prometheus.Counter                   // by ftpd.UnusedReservation
	handshakes    [observe.Channels][]prometheus.Counter // by ftpd.HandshakeResult
	bans          []prometheus.Counter                   // by bans.Event
	panics        prometheus.Counter
	loadsOK       prometheus.Counter
	loadsFailed   prometheus.Counter
	lastLoad      prometheus.Gauge
	lastLoadTime  prometheus.Gauge
}

var _ observe.Observer = (*Metrics)(nil)

// Buckets of the histograms, in seconds: from a small file on a fast network to a big one on a slow one,
// and from the same to the 30 seconds that a client may take to connect by default.
var (
	durationBuckets  = []float64{.005, .01, .05, .1, .5, 1, 5, 10, 30, 60, 300, 1800, 7200}
	firstByteBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30}
)

// New returns the metrics of a server that is still to be made. version is the program's.
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

// children are a vector's, one for each value of an enumeration.
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

// Watch adds what can be looked up of a server. It is for the one whose Observer m is, once.
func (m *Metrics) Watch(s *ftpd.Server) { m.registry.MustRegister(newCollector(s)) }

// Handler serves the metrics as Prometheus asks for them.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		// What a hanging file system or a bug leaves out must not hide the rest.
		ErrorHandling: promhttp.ContinueOnError,
		Registry:      m.registry,
		// A scraper asks one at a time; more are those of somebody who hangs or attacks.
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
		return // FTP has none
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

// FirstByte notes how long a transfer took until it could begin.
func (m *Metrics) FirstByte(d observe.Direction, after time.Duration) {
	m.firstByte[d].Observe(after.Seconds())
}

// Moved counts octets.
func (m *Metrics) Moved(d observe.Direction, n int64) { m.moved[d].Add(float64(n)) }

// TransferEnded counts a transfer that has ended.
func (m *Metrics) TransferEnded(d observe.Direction, r observe.TransferResult, took time.Duration) {
	m.active[d].Dec()
	m.transfers[d][r].Inc()
	m.took[d].Observe(took.Seconds())
}

// Unused counts a reservation that no data connection came for.
func (m *Metrics) Unused(why observe.UnusedReservation) { m.unused[why].Inc() }

// Handshake counts a handshake.
func (m *Metrics) Handshake(c observe.Channel, r observe.HandshakeResult) { m.handshakes[c][r].Inc() }

// Banned counts a ban.
func (m *Metrics) Banned(reason bans.Event) { m.bans[reason].Inc() }

// Panicked counts a panic.
func (m *Metrics) Panicked() { m.panics.Inc() }

// ConfigLoaded notes the loading of a configuration.
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
