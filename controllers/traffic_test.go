package controllers_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
)

// traffic counts a client's requests to the API server, and makes chosen ones fail. Events and access reviews, which
// are not state of the cluster, do not count, and neither do watches.
type traffic struct {
	next http.RoundTripper
	// namespace is the namespace whose requests count.
	namespace string

	mu    sync.Mutex
	all   []string
	reads int
	// writes are the writes that the API server accepted, whether they changed anything or not.
	writes []string
	// failAt is the number, from 1, of the write (or read) that fails with fault; 0: none.
	failAt int
	fault  fault
	// failPath makes every write fail whose path ends in it; empty: none.
	failPath string
	// failed is the request that failed.
	failed string
	// dead is set once the client was killed: all further requests fail.
	dead bool
	// beforeWrite is called before the first write if it is not nil.
	beforeWrite func()
	once        sync.Once
}

// fault is the way in which a request fails.
type fault struct {
	// code is the status of the answer; 0: there is no answer and the client times out.
	code int
	// inEffect is true if the request is let through first, so that it takes effect although it fails.
	inEffect bool
	// reads is true if the fault affects reads, not writes.
	reads bool
	// every is the number of requests after which another one is affected; 0: only one is.
	every int
	// kills is true if all following requests fail, too, until revive is called.
	kills bool
}

// befalls reports whether the fault affects the request that comes that many requests after the first failed one.
func (f fault) befalls(after int) bool {
	return after == 0 || f.every > 0 && after > 0 && after%f.every == 0
}

// through returns a copy of config whose requests go through t.
func (t *traffic) through(config *rest.Config) *rest.Config {
	c := rest.CopyConfig(config)
	c.Wrap(func(next http.RoundTripper) http.RoundTripper {
		t.next = next
		return t
	})
	return c
}

// RoundTrip implements http.RoundTripper.
func (t *traffic) RoundTrip(r *http.Request) (*http.Response, error) {
	path := r.URL.Path
	if r.URL.Query().Get("watch") == "true" || strings.Contains(path, "/events") ||
		strings.Contains(path, "selfsubjectaccessreviews") || !strings.Contains(path, "/namespaces/"+t.namespace+"/") {
		return t.next.RoundTrip(r)
	}
	t.mu.Lock()
	t.all = append(t.all, r.Method+" "+path)
	isRead := r.Method == http.MethodGet
	if !isRead && t.beforeWrite != nil {
		t.mu.Unlock()
		t.once.Do(t.beforeWrite)
		t.mu.Lock()
	}
	if isRead {
		t.reads++
	}
	number := len(t.all) - t.reads
	if t.fault.reads {
		number = t.reads
	}
	if t.dead {
		t.mu.Unlock()
		return nil, errNoAnswer
	}
	fails := t.failAt > 0 && t.fault.reads == isRead && t.fault.befalls(number-t.failAt)
	if t.failPath != "" && !isRead && strings.HasSuffix(path, t.failPath) {
		fails = true
	}
	if fails {
		t.failed = r.Method + " " + path
		t.dead = t.fault.kills
	}
	t.mu.Unlock()
	if !fails {
		response, err := t.next.RoundTrip(r)
		if err == nil && r.Method != http.MethodGet && response.StatusCode < http.StatusBadRequest {
			t.mu.Lock()
			t.writes = append(t.writes, r.Method+" "+path)
			t.mu.Unlock()
		}
		return response, err
	}
	if t.fault.inEffect {
		response, err := t.next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		_ = response.Body.Close()
	} else if r.Body != nil {
		_ = r.Body.Close()
	}
	if t.fault.code == 0 {
		return nil, errNoAnswer
	}
	reason := map[int]string{
		http.StatusConflict: "Conflict", http.StatusTooManyRequests: "TooManyRequests", http.StatusInternalServerError: "InternalError",
	}[t.fault.code]
	body := fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"code":%d,"message":"injected"}`, reason, t.fault.code)
	return &http.Response{
		StatusCode: t.fault.code, Status: http.StatusText(t.fault.code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)), Request: r,
	}, nil
}

// errNoAnswer is the error of a request that gets no answer.
var errNoAnswer = fmt.Errorf("injected: no answer: %w", os.ErrDeadlineExceeded)

// revive ends the effects of a kill, and reports whether there was one.
func (t *traffic) revive() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.dead
	t.dead = false
	return was
}

// reset sets the counters back to zero.
func (t *traffic) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all, t.writes, t.reads = nil, nil, 0
}

// written returns the writes since the last reset.
func (t *traffic) written() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string{}, t.writes...)
}

// requests returns the number of requests since the last reset.
func (t *traffic) requests() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.all)
}

// counts returns the numbers of reads and writes, including failed ones, since the last reset.
func (t *traffic) counts() (reads, writes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reads, len(t.all) - t.reads
}

// hold calls f before the next write.
func (t *traffic) hold(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.beforeWrite, t.once = f, sync.Once{}
}

// disarm ends all faults.
func (t *traffic) disarm() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failAt = 0
}
