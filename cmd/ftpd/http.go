package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/admin"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/metrics"
)

// serveAdmin serves the server's Handler, and its metrics, where the configuration says, if it does.
// stop ends it.
func serveAdmin(file []byte, server *ftpd.Server, observed *metrics.Metrics, log *slog.Logger) (stop func(), err error) {
	cfg, _, err := config.Load(file)
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
	return serveHTTP(l, mux, log), nil
}

// serveAPI serves the management API where the flags say, if they do. stop ends it.
func (f *flags) serveAPI(server *ftpd.Server, drain func(), log *slog.Logger) (stop func(), err error) {
	if f.api == "" {
		return func() {}, nil
	}
	l, err := admin.Listen(f.api)
	if err != nil {
		return nil, fmt.Errorf("--api: %w", err)
	}
	log.Info("management API", "address", f.api)
	return serveHTTP(l, admin.Handler(server, drain), log), nil
}

// serveHTTP serves until stop is called.
func serveHTTP(l net.Listener, handler http.Handler, log *slog.Logger) (stop func()) {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	var done sync.WaitGroup
	done.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("HTTP server failed", "address", l.Addr().String(), "error", err)
		}
	})
	return func() {
		_ = server.Close()
		done.Wait()
	}
}
