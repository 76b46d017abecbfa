package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/labels"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/policy"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// These environment variables give the defaults of flags.
const (
	envImage     = "FTPD_IMAGE"
	envNamespace = "POD_NAMESPACE"
)

// options are the values of the command line's flags.
type options struct {
	metricsAddress string
	metricsSecure  bool
	metricsCertDir string
	probeAddress   string

	leaderElect          bool
	leaderElectNamespace string

	class           string
	watchNamespaces []string
	image           string
	namespace       string
	podLabels       string
	nodePorts       utilnet.PortRange
	concurrent      int
	timeout         time.Duration

	images, priorityClasses []string
	secretLabel             bool
	// restrictions is the policy that these three fields describe.
	restrictions policy.Policy

	logLevel, logFormat string
}

// flags declares the flags, with defaults from the environment.
func flags(o *options, getenv func(string) string) *pflag.FlagSet {
	f := pflag.NewFlagSet("manager", pflag.ContinueOnError)
	f.SortFlags = false
	f.StringVar(&o.image, "ftpd-image", getenv(envImage),
		"image of the daemon that the servers' pods run, unless spec.image overrides it; required (env "+envImage+")")
	f.StringSliceVar(&o.watchNamespaces, "watch-namespaces", nil,
		"namespaces to look after, separated by commas; none: all. With some, no permission in the whole cluster is needed, "+
			"but for NodePort servers without spec.passive.advertisedAddress, which need to list and watch nodes; "+
			"to see which Services of other namespaces hold node ports it must list and watch Services in all of them")
	f.StringVar(&o.class, "class", "",
		"handle the servers with this spec.className, and no others; unset: those without one. Operators of different classes "+
			"work beside each other, in one namespace too")
	o.nodePorts = utilnet.PortRange{Base: 30000, Size: 2768}
	f.Var(&o.nodePorts, "node-port-range",
		"the cluster's node port range, the API server's --service-node-port-range, from which spec.passive.portCount takes ports")
	f.BoolVar(&o.leaderElect, "leader-elect", false,
		"elect a leader, so that of several operators one works; needed with more than one replica")
	f.StringVar(&o.leaderElectNamespace, "leader-elect-namespace", "",
		"namespace of the leader's lease; unset: the operator's own")
	f.StringVar(&o.namespace, "namespace", getenv(envNamespace),
		"namespace that the operator's pods run in, from which the daemons' admin ports may be reached (env "+envNamespace+")")
	f.StringVar(&o.podLabels, "pod-labels", "app.kubernetes.io/name=ftp-operator",
		"labels that select the operator's pods in their namespace, as in a=b,c=d; likewise")
	f.StringVar(&o.metricsAddress, "metrics-bind-address", "0",
		"address of the metrics endpoint, as in :8443; 0: none")
	f.BoolVar(&o.metricsSecure, "metrics-secure", true,
		"serve metrics over HTTPS, and only to whom the API server lets GET /metrics")
	f.StringVar(&o.metricsCertDir, "metrics-cert-dir", "",
		"directory with tls.crt and tls.key for the metrics endpoint; unset: a self-signed certificate")
	f.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081",
		"address of /healthz and /readyz; 0: none")
	f.IntVar(&o.concurrent, "max-concurrent-reconciles", 4,
		"servers reconciled at once")
	f.DurationVar(&o.timeout, "reconcile-timeout", 2*time.Minute,
		"longest time that one reconcile may take")
	f.StringSliceVar(&o.images, "allowed-images", nil,
		"images that spec.image may name besides --ftpd-image, separated by commas; * stands for any characters but /, as in registry.example.com/ftp-operator:*; "+
			"empty: none; without this flag: any")
	f.StringSliceVar(&o.priorityClasses, "allowed-priority-classes", nil,
		"priority classes that spec.template.priorityClassName may name, separated by commas; empty: none; without this flag: any")
	f.BoolVar(&o.secretLabel, "require-secret-label", false,
		"take passwords and certificates only from Secrets with the label "+v1alpha1.AllowLabel+"=true; it is the default with --allowed-images")
	f.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
	f.StringVar(&o.logFormat, "log-format", "json", "json or text")
	f.Usage = func() {
		fmt.Fprintf(os.Stderr, "manager is the ftp-operator: it makes FtpServers serve.\n\nUsage: manager [flags]\n\n%s", f.FlagUsages())
	}
	return f
}

// policy returns the restrictions that the flags describe. A flag that was not given restricts nothing.
func (o *options) policy(f *pflag.FlagSet) policy.Policy {
	var p policy.Policy
	if f.Changed("allowed-images") {
		p.Images = append([]string{}, o.images...)
	}
	if f.Changed("allowed-priority-classes") {
		p.PriorityClasses = append([]string{}, o.priorityClasses...)
	}
	p.RequireSecretLabel = o.secretLabel || p.Images != nil && !f.Changed("require-secret-label")
	return p
}

// validate returns an error that names every flag with an invalid value.
func (o *options) validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.image == "" {
		bad("--ftpd-image is required: give the image of the daemon, or set %s", envImage)
	}
	if problems := validation.IsDNS1123Label(o.class); o.class != "" && len(problems) > 0 {
		bad("--class: %q is no class: %s", o.class, strings.Join(problems, "; "))
	}
	for _, namespace := range o.watchNamespaces {
		if problems := validation.IsDNS1123Label(namespace); len(problems) > 0 {
			bad("--watch-namespaces: %q is no namespace: %s", namespace, strings.Join(problems, "; "))
		}
	}
	if set, err := labels.ConvertSelectorToLabelsMap(o.podLabels); err != nil || len(set) == 0 {
		bad("--pod-labels: %q is not of the form name=value,name=value", o.podLabels)
	}
	if o.nodePorts.Base < 1 || o.nodePorts.Size < 1 || o.nodePorts.Base+o.nodePorts.Size-1 > config.MaxPassivePort {
		bad("--node-port-range: %q is no range of ports: write it as in 30000-32767", o.nodePorts.String())
	}
	for _, pattern := range o.images {
		if err := policy.CheckPattern(pattern); err != nil {
			bad("--allowed-images: %w", err)
		}
	}
	if o.concurrent < 1 {
		bad("--max-concurrent-reconciles must be at least 1, not %d", o.concurrent)
	}
	if o.timeout < time.Second {
		bad("--reconcile-timeout must be at least 1s, not %s", o.timeout)
	}
	if _, err := level(o.logLevel); err != nil {
		errs = append(errs, err)
	}
	if o.logFormat != "json" && o.logFormat != "text" {
		bad("--log-format must be json or text, not %q", o.logFormat)
	}
	return errors.Join(errs...)
}
