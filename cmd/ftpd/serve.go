package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/metrics"
	"github.com/ftp-operator/ftp-operator/internal/version"
)

// configPoll is how often the configuration file is looked at.
const configPoll = 500 * time.Millisecond

// serve runs the daemon until a signal ends it, ctx does, or something fails.
func serve(ctx context.Context, f *flags, signals <-chan os.Signal, logTo io.Writer) error {
	log, err := f.logger(logTo)
	if err != nil {
		return err
	}
	file, err := f.load()
	if err != nil {
		return err
	}
	observed := metrics.New(version.String())
	server, err := ftpd.New(file, ftpd.Options{Logger: log, Observer: observed})
	if err != nil {
		return err
	}
	observed.Watch(server)
	defer func() { _ = server.Close() }()

	stopAdmin, err := serveAdmin(file, server, observed, log)
	if err != nil {
		return err
	}
	defer stopAdmin()

	ctx, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer cancel()
	if f.config != "" {
		background.Go(func() {
			_ = config.Watch(ctx, f.config, configPoll, func(file []byte) { _ = server.Reload(file) }) // Reload logs
		})
	}
	ended := make(chan error, 1)
	background.Go(func() { ended <- server.ListenAndServe() })
	defer func() { _ = server.Close() }() // before background.Wait

	drained := make(chan error, 1)
	draining := false
	for {
		select {
		case err := <-ended:
			if errors.Is(err, ftpd.ErrServerClosed) {
				ended = nil // drained tells the rest
				continue
			}
			return err
		case err := <-drained:
			return err
		case <-ctx.Done():
			return nil
		case sig := <-signals:
			switch {
			case sig == syscall.SIGHUP:
				f.reload(server, log)
			case draining:
				log.Warn("second signal: ending at once", "signal", sig.String())
				return nil
			default:
				log.Info("signal: draining", "signal", sig.String())
				draining = true
				background.Go(func() { drained <- server.Shutdown(ctx) })
			}
		}
	}
}

// load returns the configuration file, or the one that the flags stand for.
func (f *flags) load() ([]byte, error) {
	if f.config == "" {
		return f.data, nil
	}
	file, err := os.ReadFile(f.config)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	return file, nil
}

// reload reads the configuration file again, now.
func (f *flags) reload(server *ftpd.Server, log *slog.Logger) {
	if f.config == "" {
		log.Warn("SIGHUP ignored: there is no configuration file to read again")
		return
	}
	file, err := f.load()
	if err != nil {
		log.Error("configuration can't be read; the old one goes on serving", "error", err)
		return
	}
	_ = server.Reload(file) // which logs
}

// serveAdmin serves the server's Handler, and its metrics, where the configuration says, if it does.
// stop ends it.
func serveAdmin(file []byte, server *ftpd.Server, observed *metrics.Metrics, log *slog.Logger) (stop func(), err error) {
	cfg, err := config.Parse(file)
	if err != nil {
		return nil, err
	}
	if cfg.AdminAddress == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", cfg.AdminAddress)
	if err != nil {
		return nil, fmt.Errorf("adminAddress: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", server.Handler())
	mux.Handle("GET /metrics", observed.Handler())
	admin := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	var done sync.WaitGroup
	done.Go(func() {
		if err := admin.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("admin server failed", "error", err)
		}
	})
	return func() {
		_ = admin.Close()
		done.Wait()
	}, nil
}
