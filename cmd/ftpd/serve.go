package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/budget"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/metrics"
	"github.com/ftp-operator/ftp-operator/internal/version"
)

// configPoll is the interval at which the configuration file is checked for changes.
const configPoll = 500 * time.Millisecond

// serve runs the daemon until a signal ends it, ctx is cancelled, or something fails.
func serve(ctx context.Context, f *flags, signals <-chan os.Signal, logTo io.Writer) error {
	log, err := f.logger(logTo)
	if err != nil {
		return err
	}
	loaded, err := f.load()
	if err != nil {
		return err
	}
	resources, err := budget.Find()
	if err != nil {
		log.Warn("the memory limit is not known: set GOMEMLIMIT where there is one", "error", err)
	}
	budget.Apply(resources)
	observed := metrics.New(version.String())
	server, err := ftpd.New(loaded, ftpd.Options{Logger: log, Observer: observed, Resources: resources})
	if err != nil {
		return err
	}
	observed.Watch(server)
	defer func() { _ = server.Close() }()

	stopAdmin, err := serveAdmin(loaded.Config.AdminAddress, server, observed, log)
	if err != nil {
		return err
	}
	defer stopAdmin()
	drain := make(chan struct{}, 1)
	stopAPI, err := f.serveAPI(server, func() {
		select {
		case drain <- struct{}{}:
		default: // a drain was requested already
		}
	}, log)
	if err != nil {
		return err
	}
	defer stopAPI()

	ctx, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer cancel()
	reread := make(chan struct{}, 1)
	if f.config != "" {
		background.Go(func() {
			_ = config.Watch(ctx, f.config, configPoll, reread, server.Reload) // Reload logs its errors
		})
	}
	debug.FreeOSMemory() // what starting took, above all the hashes of --user
	ended := make(chan error, 1)
	background.Go(func() { ended <- server.ListenAndServe() })
	defer func() { _ = server.Close() }() // must run before background.Wait

	drained := make(chan error, 1)
	draining, signalled := false, false
	begin := func(why string) {
		if draining {
			return
		}
		log.Info("ending as soon as no session works", "why", why)
		draining = true
		background.Go(func() { drained <- server.Shutdown(ctx) })
	}
	for {
		select {
		case err := <-ended:
			if errors.Is(err, ftpd.ErrServerClosed) {
				ended = nil // drained receives the result
				continue
			}
			return err
		case err := <-drained:
			return err
		case <-ctx.Done():
			return nil
		case <-drain:
			begin("asked for by the management API")
		case sig := <-signals:
			switch {
			case sig == syscall.SIGHUP:
				f.reload(reread, log)
			case signalled: // a drain by the API does not count as a signal: kubelets send one after it
				log.Warn("second signal: ending at once", "signal", sig.String())
				return nil
			default:
				signalled = true
				begin("signal: " + sig.String())
			}
		}
	}
}

// load reads the configuration file, or takes the configuration that the flags amount to.
func (f *flags) load() (*config.Loaded, error) {
	if f.config == "" {
		return config.Load(f.data)
	}
	file, err := os.ReadFile(f.config)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	return config.Load(file)
}

// reload makes Watch read the configuration file at once.
func (f *flags) reload(reread chan<- struct{}, log *slog.Logger) {
	if f.config == "" {
		log.Warn("SIGHUP ignored: there is no configuration file to read again")
		return
	}
	if _, err := os.ReadFile(f.config); err != nil {
		log.Error("configuration can't be read; the old one goes on serving", "error", err)
		return
	}
	select {
	case reread <- struct{}{}:
	default: // a request is pending already
	}
}
