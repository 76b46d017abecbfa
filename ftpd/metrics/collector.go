package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/passive"
)

// collector is a prometheus.Collector that reads the state of a server when it is scraped.
type collector struct {
	server *ftpd.Server
	disk   *diskProbe
}

func newCollector(s *ftpd.Server) *collector {
	return &collector{server: s, disk: newDiskProbe(s.Disk)}
}

// single lists the metrics without labels.
var single = []struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*ftpd.Stats) float64
}{
	{desc("ready", "Whether the server takes sessions (1), as /readyz tells."), prometheus.GaugeValue,
		func(s *ftpd.Stats) float64 { return truth(s.Ready) }},
	{desc("draining", "Whether the server is on its way out (1)."), prometheus.GaugeValue,
		func(s *ftpd.Stats) float64 { return truth(s.Draining) }},
	{desc("bans_active", "Bans in force."), prometheus.GaugeValue,
		func(s *ftpd.Stats) float64 { return float64(s.Bans) }},
	{desc("config_ignored", "Keys and values of the configuration in force that this daemon does not know and ignores: it was written for a newer version."), prometheus.GaugeValue,
		func(s *ftpd.Stats) float64 { return float64(s.ConfigIgnored) }},
	{desc("certificate_files_valid", "Whether the files of TLS can be used as they are now (1); else what they held before serves."), prometheus.GaugeValue,
		func(s *ftpd.Stats) float64 { return truth(!s.TLSFilesBad) }},

	{desc("memory_limit_bytes", "Memory limit of the daemon's cgroup; 0 if there is none."), prometheus.GaugeValue,
		func(s *ftpd.Stats) float64 { return float64(s.Resources.Memory) }},
	{desc("hash_memory_limit_bytes", "Bound of the memory that password hashes which are verified at one time take together; 0 if there is none."), prometheus.GaugeValue,
		func(s *ftpd.Stats) float64 { return float64(s.Resources.HashMemory) }},
	{desc("sessions_limit", "Sessions that there may be, by limits.maxSessions and the memory limit; 0 if there is no bound."), prometheus.GaugeValue,
		func(s *ftpd.Stats) float64 { return float64(s.MaxSessions) }},
	{desc("resource_warnings", "Memory and descriptors that are too small for the configuration, as the log and /status say."), prometheus.GaugeValue,
		func(s *ftpd.Stats) float64 { return float64(len(s.Resources.Warnings)) }},

	{desc("passive_ports", "Passive ports that the server holds."), prometheus.GaugeValue,
		pool(func(p *passive.Stats) int { return p.Ports })},
	{desc("passive_ports_in_use", "Passive ports that are reserved for at least one data connection."), prometheus.GaugeValue,
		pool(func(p *passive.Stats) int { return p.InUse })},
	{desc("passive_reservations_pending", "Reservations of passive ports that wait for their data connection."), prometheus.GaugeValue,
		pool(func(p *passive.Stats) int { return p.Reservations })},
	{desc("passive_requests_waiting", "PASV and EPSV that wait for a free port."), prometheus.GaugeValue,
		pool(func(p *passive.Stats) int { return p.Waiting })},
	{desc("passive_reservations_total", "Reservations of passive ports."), prometheus.CounterValue,
		pool(func(p *passive.Stats) uint64 { return p.Reserved })},
	{desc("passive_reservations_expired_total", "Reservations that no data connection came for in time."), prometheus.CounterValue,
		pool(func(p *passive.Stats) uint64 { return p.Expired })},
	{desc("passive_connections_total", "Data connections that came to a passive port and had a reservation."), prometheus.CounterValue,
		pool(func(p *passive.Stats) uint64 { return p.Accepted })},
	{desc("passive_strangers_total", "Connections to passive ports that were dropped because no session waited for them."), prometheus.CounterValue,
		pool(func(p *passive.Stats) uint64 { return p.Strangers })},
	{desc("passive_proxy_refused_total", "Connections to passive ports that were dropped because of the PROXY protocol: no good header, or past the proxy."), prometheus.CounterValue,
		pool(func(p *passive.Stats) uint64 { return p.Headless })},
	{desc("passive_exhausted_total", "PASV and EPSV that were refused (425) because no port became free in time."), prometheus.CounterValue,
		pool(func(p *passive.Stats) uint64 { return p.Exhausted })},
}

var (
	sessionsDesc    = desc("sessions", "Sessions that are open, by whether somebody is logged in.", "state")
	configInfoDesc  = desc("config_info", "Always 1: the hash of the configuration in force, as in the pod's annotation and /status.", "hash")
	certificateDesc = desc("certificate_expiration_timestamp_seconds", "When a certificate in force ends; index is its place in the configuration.", "index", "names")
	quotaDesc       = desc("quota_users",
		"Users with a quota, by how much of it is used: ok, high from 80 %, full from 100 %; uncounted until they log in.", "level")
	sizeDesc      = desc("storage_size_bytes", "Size of the file system of the storage.")
	availableDesc = desc("storage_available_bytes", "What is free of it for the server.")
	filesDesc     = desc("storage_files", "Inodes of the file system of the storage; 0 where it does not count them.")
	freeFilesDesc = desc("storage_files_free", "Inodes of it that are free.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(namespace+"_"+name, help, labels, nil)
}

func pool[N int | uint64](of func(*passive.Stats) N) func(*ftpd.Stats) float64 {
	return func(s *ftpd.Stats) float64 { return float64(of(&s.Passive)) }
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Describe sends the descriptions of all metrics that Collect sends.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, m := range single {
		to <- m.desc
	}
	for _, d := range []*prometheus.Desc{
		sessionsDesc, configInfoDesc, certificateDesc, quotaDesc, sizeDesc, availableDesc, filesDesc, freeFilesDesc,
	} {
		to <- d
	}
}

// Collect reads the server's state and sends the metrics.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	stats := c.server.Stats()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for _, m := range single {
		to <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(&stats))
	}
	gauge(sessionsDesc, float64(stats.PreLogin), "pre_login")
	gauge(sessionsDesc, float64(stats.Sessions-stats.PreLogin), "logged_in")
	gauge(configInfoDesc, 1, stats.ConfigHash)
	for i, cert := range stats.Certificates {
		gauge(certificateDesc, float64(cert.NotAfter.Unix()), strconv.Itoa(i), cert.Names)
	}
	for level, users := range levels(c.server.Quotas()) {
		gauge(quotaDesc, float64(users), level)
	}
	if disk, ok := c.disk.measure(); ok {
		gauge(sizeDesc, float64(disk.SizeBytes))
		gauge(availableDesc, float64(disk.AvailableBytes))
		gauge(filesDesc, float64(disk.Files))
		gauge(freeFilesDesc, float64(disk.FreeFiles))
	}
}

// levels counts users by how much of their quota is used.
func levels(quotas []ftpd.UserQuota) map[string]int {
	const high = 0.8
	counts := map[string]int{"uncounted": 0, "ok": 0, "high": 0, "full": 0}
	for _, q := range quotas {
		used := max(ratio(q.UsedBytes, q.LimitBytes), ratio(q.UsedFiles, q.LimitFiles))
		switch {
		case !q.Counted:
			counts["uncounted"]++
		case used >= 1:
			counts["full"]++
		case used >= high:
			counts["high"]++
		default:
			counts["ok"]++
		}
	}
	return counts
}

// ratio returns how much of a limit is used, as a part of one; 0 if there is no limit.
func ratio(used, limit int64) float64 {
	if limit <= 0 {
		return 0
	}
	return float64(used) / float64(limit)
}
