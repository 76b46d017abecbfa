// Package servermetrics exports metrics of each FtpServer, read from its status at each scrape.
package servermetrics

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// listTimeout bounds the time to list the servers for a scrape. The list comes from the cache.
const listTimeout = 5 * time.Second

// Export returns a runnable that exports metrics of each FtpServer for as long as this process leads. The caller
// adds it to the manager. reader is the manager's client, and class the class of the servers to export.
func Export(reader client.Reader, registry prometheus.Registerer, class string) manager.Runnable {
	return manager.RunnableFunc(func(ctx context.Context) error {
		c := &serverMetrics{reader, class}
		if err := registry.Register(c); err != nil {
			return fmt.Errorf("registering metrics: %w", err)
		}
		defer registry.Unregister(c)
		<-ctx.Done()
		return nil
	})
}

// serverMetrics is a collector that lists the servers at each scrape.
type serverMetrics struct {
	reader client.Reader
	class  string
}

// gauges are the metrics of a server. Each has the labels namespace and name.
var gauges = []struct {
	desc  *prometheus.Desc
	value func(*v1alpha1.FtpServer) float64
}{
	{serverDesc("ready", "Whether the FtpServer is Ready (1)."), conditionTrue(v1alpha1.ConditionReady)},
	{serverDesc("stalled", "Whether the FtpServer is Stalled (1): somebody has to change something."), conditionTrue(v1alpha1.ConditionStalled)},
	{serverDesc("suspended", "Whether the FtpServer is Suspended (1)."), conditionTrue(v1alpha1.ConditionSuspended)},
	{serverDesc("replicas", "Pods that are not terminating."),
		func(s *v1alpha1.FtpServer) float64 { return float64(s.Status.Replicas) }},
	{serverDesc("replicas_ready", "Pods that are ready."),
		func(s *v1alpha1.FtpServer) float64 { return float64(s.Status.ReadyReplicas) }},
	{serverDesc("passive_ports", "Passive ports in the range that is in use."),
		func(s *v1alpha1.FtpServer) float64 { return float64(len(portsOf(s.Status.PassiveRange))) }},
	{serverDesc("passive_ports_free", "Passive ports of that range that no pod holds. A new pod needs some."), freePorts},
}

func serverDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("ftp_operator_server_"+name, help, []string{"namespace", "name"}, nil)
}

func conditionTrue(kind string) func(*v1alpha1.FtpServer) float64 {
	return func(s *v1alpha1.FtpServer) float64 {
		if apimeta.IsStatusConditionTrue(s.Status.Conditions, kind) {
			return 1
		}
		return 0
	}
}

// portsOf parses a set of ports from the status.
func portsOf(text string) config.PortSet {
	ports, err := config.ParsePortSet(text)
	if err != nil {
		return nil // the operator wrote the status: it can only be empty
	}
	return ports
}

func freePorts(s *v1alpha1.FtpServer) float64 {
	free := portsOf(s.Status.PassiveRange)
	for i := range s.Status.Pods {
		free = free.Minus(portsOf(s.Status.Pods[i].PassivePorts))
	}
	return float64(len(free))
}

// Describe sends the descriptions of all metrics that Collect sends.
func (serverMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, g := range gauges {
		to <- g.desc
	}
}

// Collect lists all servers of the class and sends their metrics.
func (m serverMetrics) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), listTimeout)
	defer cancel()
	var servers v1alpha1.FtpServerList
	if err := m.reader.List(ctx, &servers, client.UnsafeDisableDeepCopy); err != nil {
		to <- prometheus.NewInvalidMetric(gauges[0].desc, fmt.Errorf("listing FtpServers: %w", err))
		return
	}
	for i := range servers.Items {
		s := &servers.Items[i]
		if s.Spec.ClassName != m.class {
			continue
		}
		for _, g := range gauges {
			to <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, g.value(s), s.Namespace, s.Name)
		}
	}
}
