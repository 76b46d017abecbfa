package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

// level reads a level's name.
func level(name string) (slog.Level, error) {
	switch name {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("--log-level must be debug, info, warn or error, not %q", name)
}

// setLogger sends the logs of the operator and of its libraries to out.
func setLogger(out io.Writer, levelName, format string) error {
	least, err := level(levelName)
	if err != nil {
		return err
	}
	settings := &slog.HandlerOptions{Level: least}
	var handler slog.Handler = slog.NewJSONHandler(out, settings)
	if format == "text" {
		handler = slog.NewTextHandler(out, settings)
	}
	slog.SetDefault(slog.New(handler))
	logger := logr.FromSlogHandler(handler)
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)
	return nil
}
