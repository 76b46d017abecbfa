package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/ftp-operator/ftp-operator/controllers/policy"
)

func parse(t *testing.T, env map[string]string, args ...string) (*options, error) {
	t.Helper()
	var o options
	f := flags(&o, func(name string) string { return env[name] })
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	return &o, o.validate()
}

func TestFlags(t *testing.T) {
	o, err := parse(t, map[string]string{"FTPD_IMAGE": "from-env", "POD_NAMESPACE": "ops"}, "--watch-namespaces=a,b", "--log-level=debug")
	if err != nil {
		t.Fatal(err)
	}
	if o.image != "from-env" || o.namespace != "ops" || strings.Join(o.watchNamespaces, " ") != "a b" || !o.metricsSecure {
		t.Errorf("options %+v", o)
	}
	if o, err = parse(t, map[string]string{"FTPD_IMAGE": "from-env"}, "--ftpd-image=given"); err != nil || o.image != "given" {
		t.Errorf("options %+v, %v", o, err)
	}
}

func TestBadFlagsAreNamed(t *testing.T) {
	for args, want := range map[string]string{
		"":                                             "--ftpd-image is required",
		"--ftpd-image=x --watch-namespaces=A_B":        `"A_B" is no namespace`,
		"--ftpd-image=x --class=A_B":                   `"A_B" is no class`,
		"--ftpd-image=x --log-level=loud":              "--log-level must be debug",
		"--ftpd-image=x --log-format=xml":              "--log-format must be json or text",
		"--ftpd-image=x --pod-labels=a":                "--pod-labels",
		"--ftpd-image=x --pod-labels=":                 "--pod-labels",
		"--ftpd-image=x --reconcile-timeout=1ms":       "--reconcile-timeout must be at least 1s",
		"--ftpd-image=x --max-concurrent-reconciles=0": "at least 1",
		"--ftpd-image=x --allowed-images=a[":           `"a[" is no pattern of images`,
		"--nonsense":                                   "unknown flag",
	} {
		if _, err := parse(t, nil, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want …%s…", args, err, want)
		}
	}
}

// TestPolicyFlags: a flag without values allows nothing, a flag that is not given allows everything, and
// --allowed-images makes the label on Secrets required by default.
func TestPolicyFlags(t *testing.T) {
	for args, want := range map[string]policy.Policy{
		"":                  {},
		"--allowed-images=": {Images: []string{}, RequireSecretLabel: true},
		"--allowed-images=a/b:*,c --allowed-priority-classes=low": {
			Images: []string{"a/b:*", "c"}, PriorityClasses: []string{"low"}, RequireSecretLabel: true,
		},
		"--allowed-images=a --require-secret-label=false": {Images: []string{"a"}},
		"--require-secret-label":                          {RequireSecretLabel: true},
		"--allowed-priority-classes=":                     {PriorityClasses: []string{}},
	} {
		o, err := prepare(append(strings.Fields(args), "--ftpd-image=x"))
		if err != nil {
			t.Errorf("%q: %v", args, err)
		} else if !reflect.DeepEqual(o.restrictions, want) {
			t.Errorf("%q means %+v, want %+v", args, o.restrictions, want)
		}
	}
}

func TestEveryFlagIsExplained(t *testing.T) {
	var o options
	usage := flags(&o, func(string) string { return "" }).FlagUsages()
	for _, name := range []string{
		"metrics-bind-address", "metrics-secure", "health-probe-bind-address", "leader-elect", "leader-elect-namespace",
		"watch-namespaces", "ftpd-image", "allowed-images", "allowed-priority-classes", "require-secret-label", "log-level", "log-format", "namespace", "class", "pod-labels",
	} {
		if !strings.Contains(usage, "--"+name) {
			t.Errorf("--%s is missing", name)
		}
	}
}

func TestRunRefusesArguments(t *testing.T) {
	if err := run(context.Background(), []string{"extra"}); err == nil || !strings.Contains(err.Error(), `"extra"`) {
		t.Errorf("error %v", err)
	}
}

func TestLogFormats(t *testing.T) {
	for format, want := range map[string]string{"json": `"msg":"hello"`, "text": "msg=hello"} {
		var out bytes.Buffer
		if err := setLogger(&out, "info", format); err != nil {
			t.Fatal(err)
		}
		slog.Info("hello", "a", 1)
		slog.Debug("hidden")
		if !strings.Contains(out.String(), want) || strings.Contains(out.String(), "hidden") {
			t.Errorf("%s: %s", format, out.String())
		}
	}
}

// Every log line, of the operator and of its libraries, has a size that log collectors accept.
func TestLogLinesAreBounded(t *testing.T) {
	huge := strings.Repeat("ü", 300_000)
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		handler, err := newHandler(&out, "info", format)
		if err != nil {
			t.Fatal(err)
		}
		logger := logr.FromSlogHandler(handler)
		klog.SetLogger(logger)
		err = fmt.Errorf("refused: %s", huge)
		logger = logger.WithValues("object", map[string]string{"name": huge})
		logger.Error(err, huge, "why", huge, "list", []string{huge, huge})
		logger.Info(huge)
		klog.Background().Error(err, "Reconciler error", "small", map[string]int{"a": 1})
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 3 {
			t.Fatalf("%d lines", len(lines))
		}
		for _, line := range lines {
			if len(line) > 32<<10 {
				t.Errorf("%s: a line of %d bytes", format, len(line))
			}
		}
		if !strings.Contains(lines[2], "bytes in all") || !strings.Contains(lines[2], "refused: ü") {
			t.Errorf("%s: %.300s does not say that it was cut", format, lines[2])
		}
	}
}

func TestNoClusterIsSaidPlainly(t *testing.T) {
	_, err := newManager(context.Background(), &rest.Config{Host: "http://127.0.0.1:1"},
		&options{image: "x", podLabels: "a=b", metricsAddress: "0", probeAddress: "0"})
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("error %v", err)
	}
}
