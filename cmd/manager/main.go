// Command manager is the operator. This package contains flags and wiring only.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers"
	"github.com/ftp-operator/ftp-operator/controllers/caches"
	"github.com/ftp-operator/ftp-operator/controllers/crdschema"
	"github.com/ftp-operator/ftp-operator/controllers/daemonclient"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/servermetrics"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// leaseName is the name of the leader's lease without a class. The class is appended to it, so operators of different
// classes can lead at the same time.
const leaseName = "ftp-operator-leader"

func lease(class string) string {
	if class == "" {
		return leaseName
	}
	return leaseName + "-" + class
}

func main() {
	if err := run(ctrl.SetupSignalHandler(), os.Args[1:]); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return
		}
		fmt.Fprintf(os.Stderr, "manager: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	o, err := prepare(args)
	if err != nil {
		return err
	}
	return serve(ctx, o)
}

// prepare parses the command line and sets up logging.
func prepare(args []string) (*options, error) {
	var o options
	f := flags(&o, os.Getenv)
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q: everything is a flag, see --help", f.Arg(0))
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	o.restrictions = o.policy(f)
	return &o, setLogger(os.Stderr, o.logLevel, o.logFormat)
}

// serve runs the operator until ctx is cancelled.
func serve(ctx context.Context, o *options) error {
	cluster, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("finding the cluster (in a pod by its service account, else by KUBECONFIG): %w", err)
	}
	mgr, err := newManager(ctx, cluster, o)
	if err != nil {
		return err
	}
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("running: %w", err)
	}
	return nil
}

// newManager wires the operator together and starts nothing.
func newManager(ctx context.Context, cluster *rest.Config, o *options) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("registering types: %w", err)
		}
	}
	podLabels, err := labels.ConvertSelectorToLabelsMap(o.podLabels)
	if err != nil {
		return nil, fmt.Errorf("--pod-labels: %w", err)
	}
	serving := metricsserver.Options{BindAddress: o.metricsAddress, CertDir: o.metricsCertDir}
	if o.metricsSecure {
		serving.SecureServing = true
		serving.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	mgr, err := ctrl.NewManager(cluster, ctrl.Options{
		Scheme:                        scheme,
		Cache:                         caches.Options(o.watchNamespaces),
		Metrics:                       serving,
		HealthProbeBindAddress:        o.probeAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              lease(o.class),
		LeaderElectionNamespace:       o.leaderElectNamespace,
		LeaderElectionReleaseOnCancel: true, // the process ends right after the manager
	})
	if err != nil {
		return nil, fmt.Errorf("setting up the manager: %w", err)
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return nil, fmt.Errorf("adding /healthz: %w", err)
	}
	if err := mgr.AddReadyzCheck("ping", healthz.Ping); err != nil {
		return nil, fmt.Errorf("adding /readyz: %w", err)
	}
	if err := mgr.Add(servermetrics.Export(mgr.GetClient(), metrics.Registry, o.class)); err != nil {
		return nil, fmt.Errorf("adding metrics: %w", err)
	}
	nodesAllowed, servicesAllowed, err := mayRead(ctx, cluster, scheme)
	if err != nil {
		return nil, err
	}
	if !nodesAllowed {
		mgr.GetLogger().Info("nodes may not be read: NodePort servers need spec.passive.advertisedAddress")
	}
	if !servicesAllowed {
		mgr.GetLogger().Info("Services of other namespaces may not be read: node ports that they hold are not seen before the API server refuses them")
	}
	crd, err := crdschema.NewCRD(cluster)
	if err != nil {
		return nil, err
	}
	crd.Check(ctrl.LoggerInto(ctx, mgr.GetLogger()))
	if err := mgr.Add(crd); err != nil {
		return nil, fmt.Errorf("adding the look at the CustomResourceDefinition: %w", err)
	}
	if err := mgr.AddReadyzCheck("crd", crd.Ready); err != nil {
		return nil, fmt.Errorf("adding /readyz/crd: %w", err)
	}
	reconciler := controllers.New(controllers.Options{
		CRD:      crd,
		Client:   mgr.GetClient(),
		Live:     mgr.GetAPIReader(),
		Recorder: mgr.GetEventRecorder("ftp-operator"),
		Daemons:  daemonclient.NewHTTP(),
		Image:    o.image,
		Operator: resources.Operator{Namespace: o.namespace, PodLabels: podLabels},
		NodePorts: config.Run{
			First: uint16(o.nodePorts.Base), Last: uint16(o.nodePorts.Base + o.nodePorts.Size - 1), //nolint:gosec // ports, by validate
		},
		Policy: o.restrictions,
		Class:  o.class,
		Clock:  clock.RealClock{},
	})
	err = reconciler.Setup(ctx, mgr, controllers.SetupOptions{
		NodesAllowed: nodesAllowed, ServicesAllowed: servicesAllowed, Namespaces: o.watchNamespaces,
		MaxConcurrent: o.concurrent, Timeout: o.timeout,
	})
	return mgr, err
}

// mayRead uses its own client, since the manager's cache does not run yet.
func mayRead(ctx context.Context, cluster *rest.Config, scheme *runtime.Scheme) (nodes, services bool, err error) {
	c, err := client.New(cluster, client.Options{Scheme: scheme})
	if err != nil {
		return false, false, fmt.Errorf("connecting to the API server: %w", err)
	}
	if nodes, err = caches.MayRead(ctx, c, "nodes"); err != nil {
		return false, false, err
	}
	services, err = caches.MayRead(ctx, c, "services")
	return nodes, services, err
}
