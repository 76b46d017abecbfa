// Package prometheus runs the real Prometheus for a test, as a process on this machine that scrapes through any
// network, such as a pod's.
package prometheus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"sigs.k8s.io/yaml"
)

// Server is a running Prometheus.
type Server struct {
	address string
	cmd     *exec.Cmd
	log     bytes.Buffer // read only after exited
	exited  chan error
}

// Config is the content of a prometheus.yml.
type Config map[string]any

// Start runs prometheus in the directory dir until Stop is called. Its API listens on loopback.
func Start(ctx context.Context, dir string, config Config) (*Server, error) {
	text, err := yaml.Marshal(config)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	if out, err := exec.CommandContext(ctx, "promtool", "check", "config", file).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("promtool check config: %w\n%s", err, out)
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &Server{address: address, exited: make(chan error, 1)}
	s.cmd = exec.Command("prometheus", "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), //nolint:gosec // a test's own files
		"--web.listen-address="+address, "--log.level=warn")
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("prometheus (hack/deps.sh e2e installs it): %w", err)
	}
	go func() { s.exited <- s.cmd.Wait() }()
	return s, nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// Stop ends Prometheus and returns its log.
func (s *Server) Stop() (log string, err error) {
	err = s.cmd.Process.Signal(syscall.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	return s.log.String(), errors.Join(err, <-s.exited)
}

// Query returns the present value of a PromQL expression that has exactly one.
func (s *Server) Query(ctx context.Context, expr string) (float64, error) {
	var answer struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := s.get(ctx, "/api/v1/query?query="+url.QueryEscape(expr), &answer); err != nil {
		return 0, err
	}
	if n := len(answer.Data.Result); n != 1 {
		return 0, fmt.Errorf("%s has %d values, not one", expr, n)
	}
	text, ok := answer.Data.Result[0].Value[1].(string)
	if !ok {
		return 0, fmt.Errorf("%s: no number: %v", expr, answer.Data.Result[0].Value)
	}
	return strconv.ParseFloat(text, 64)
}

// Rule is the state of an alerting rule in Prometheus.
type Rule struct{ Name, Health, LastError, State string }

// Rules returns the rules that Prometheus evaluates.
func (s *Server) Rules(ctx context.Context) ([]Rule, error) {
	var answer struct {
		Data struct {
			Groups []struct{ Rules []Rule }
		}
	}
	if err := s.get(ctx, "/api/v1/rules", &answer); err != nil {
		return nil, err
	}
	var all []Rule
	for _, g := range answer.Data.Groups {
		all = append(all, g.Rules...)
	}
	return all, nil
}

// Targets describes the scraped targets, for messages.
func (s *Server) Targets(ctx context.Context) (string, error) {
	var answer struct {
		Data struct {
			ActiveTargets []struct{ ScrapeURL, Health, LastError string }
		}
	}
	err := s.get(ctx, "/api/v1/targets?state=active", &answer)
	return fmt.Sprintf("%+v", answer.Data.ActiveTargets), err
}

func (s *Server) get(ctx context.Context, path string, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", path, resp.Status, text)
	}
	return json.Unmarshal(text, answer)
}
