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
	"github.com/ftp-operator/ftp-operator/ftpd/httpbound"
	"github.com/ftp-operator/ftp-operator/ftpd/manage"
	"github.com/ftp-operator/ftp-operator/ftpd/metrics"
)

// serveAdmin serves the server's Handler and its metrics on an address, unless that is empty. stop ends it.
func serveAdmin(address string, server *ftpd.Server, observed *metrics.Metrics, log *slog.Logger) (stop func(), err error) {
	if address == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("adminAddress: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", server.Handler())
	mux.Handle("GET /metrics", observed.Handler())
	return serveHTTP(l, mux, answerTimeout, server.Resources().Admin, log), nil
}

// serveAPI serves the management API if the flags ask for it. stop ends it.
func (f *flags) serveAPI(server *ftpd.Server, drain func(), log *slog.Logger) (stop func(), err error) {
	if f.api == "" {
		return func() {}, nil
	}
	l, err := manage.Listen(f.api)
	if err != nil {
		return nil, fmt.Errorf("--api: %w", err)
	}
	log.Info("management API", "address", f.api)
	return serveHTTP(l, manage.Handler(server, drain), 0, server.Resources().Admin, log), nil // no timeout: a profile takes as long as the client has asked for
}

const (
	// headerTimeout is the longest time for reading the header of a request.
	headerTimeout = 5 * time.Second
	// answerTimeout is the longest time for a request and its answer.
	answerTimeout = 30 * time.Second
)

// serveHTTP serves until stop is called. connections is the largest number of open connections; a further one takes
// the place of another; see httpbound.
func serveHTTP(l net.Listener, handler http.Handler, answer time.Duration, connections int, log *slog.Logger) (stop func()) {
	bounded := httpbound.Listen(l, connections)
	l = bounded
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       answer,
		WriteTimeout:      answer,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ConnState:         bounded.State,
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
