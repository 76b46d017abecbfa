package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/ftp-operator/ftp-operator/internal/bounded"
)

// level returns the level of that name.
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

// setLogger makes the operator and its libraries log to out.
func setLogger(out io.Writer, levelName, format string) error {
	handler, err := newHandler(out, levelName, format)
	if err != nil {
		return err
	}
	slog.SetDefault(slog.New(handler))
	logger := logr.FromSlogHandler(handler)
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)
	return nil
}

// newHandler returns a handler that writes to out and limits the length of each value in a line.
func newHandler(out io.Writer, levelName, format string) (slog.Handler, error) {
	least, err := level(levelName)
	if err != nil {
		return nil, err
	}
	settings := &slog.HandlerOptions{Level: least, ReplaceAttr: bound}
	if format == "text" {
		return slog.NewTextHandler(out, settings), nil
	}
	return slog.NewJSONHandler(out, settings), nil
}

// bound limits the length of each value in a log line, whichever library logs it: errors of the API server quote the
// objects that they refuse.
func bound(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		if text := a.Value.String(); len(text) > bounded.Log {
			a.Value = slog.StringValue(bounded.Text(text, bounded.Log))
		}
	case slog.KindAny:
		if err, ok := a.Value.Any().(error); ok {
			a.Value = slog.StringValue(bounded.Text(err.Error(), bounded.Log))
			return a
		}
		if _, ok := a.Value.Any().(*slog.Source); ok {
			return a
		}
		text, err := json.Marshal(a.Value.Any())
		if err != nil {
			a.Value = slog.StringValue(bounded.Text(fmt.Sprint(a.Value.Any()), bounded.Log))
		} else if len(text) > bounded.Log {
			a.Value = slog.StringValue(bounded.Text(string(text), bounded.Log))
		}
	}
	return a
}
