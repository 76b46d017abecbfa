package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Daemons asks daemons for their report on themselves.
type Daemons interface {
	// Status asks the daemon of the pod with that IP address.
	Status(ctx context.Context, ip string) (*config.Status, error)
}

const (
	// askTimeout bounds one question, and askAllTimeout those of one pass.
	askTimeout    = time.Second
	askAllTimeout = 3 * time.Second
	// askAtOnce bounds the questions of one pass that are under way.
	askAtOnce = 16
	// silence is how long a pod that let a question time out is not asked again.
	silence = 20 * time.Second
	// maxReport bounds a report, in bytes; what answers need not be our daemon.
	maxReport = 1 << 20
)

// HTTPDaemons asks over HTTP, at the daemon's admin port.
type HTTPDaemons struct {
	client *http.Client
	port   int
}

// NewHTTPDaemons returns one that uses no proxy, follows no redirect and keeps no connection.
func NewHTTPDaemons() *HTTPDaemons {
	return &HTTPDaemons{
		port: resources.AdminPort,
		client: &http.Client{
			Timeout:       askTimeout,
			Transport:     &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: 16 << 10},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Status implements Daemons.
func (d *HTTPDaemons) Status(ctx context.Context, ip string) (*config.Status, error) {
	url := "http://" + net.JoinHostPort(ip, strconv.Itoa(d.port)) + "/status"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := d.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s answers %s", url, response.Status)
	}
	var report config.Status
	if err := json.NewDecoder(io.LimitReader(response.Body, maxReport)).Decode(&report); err != nil {
		return nil, fmt.Errorf("GET %s does not answer with a daemon's status: %w", url, err)
	}
	return &report, nil
}

// answer is what a daemon said of itself, or why it said nothing.
type answer struct {
	report *config.Status
	err    error
}

// ask asks the daemons of all running pods at once.
func (p *pass) ask(ctx context.Context) map[types.UID]answer {
	ctx, cancel := context.WithTimeout(ctx, askAllTimeout)
	defer cancel()
	var (
		mu      sync.Mutex
		wait    sync.WaitGroup
		answers = map[types.UID]answer{}
		slots   = make(chan struct{}, askAtOnce)
	)
	for i := range p.observed.pods {
		one := &p.observed.pods[i]
		if !one.running() || one.terminating() {
			continue
		}
		if err := p.silent.recall(one.UID, p.Clock.Now()); err != nil {
			mu.Lock()
			answers[one.UID] = answer{err: err}
			mu.Unlock()
			continue
		}
		wait.Add(1)
		go func(uid types.UID, ip string) {
			defer wait.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			report, err := p.Daemons.Status(ctx, ip)
			p.silent.note(uid, err, p.Clock.Now())
			mu.Lock()
			defer mu.Unlock()
			answers[uid] = answer{report, err}
		}(one.UID, one.Status.PodIP)
	}
	wait.Wait()
	return answers
}

// silentPods remembers the pods that let a question time out, so that an operator that can't reach
// pods does not spend all its time on waiting for them.
type silentPods struct {
	mu    sync.Mutex
	until map[types.UID]silentPod
}

type silentPod struct {
	err  error
	ends time.Time
}

func newSilentPods() *silentPods { return &silentPods{until: map[types.UID]silentPod{}} }

func (s *silentPods) note(uid types.UID, err error, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		s.until[uid] = silentPod{err, now.Add(silence)}
		return
	}
	delete(s.until, uid)
}

func (s *silentPods) recall(uid types.UID, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for old, entry := range s.until {
		if !now.Before(entry.ends) {
			delete(s.until, old)
		}
	}
	return s.until[uid].err
}
