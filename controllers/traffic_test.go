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

// traffic counts a client's requests at the API server, and makes the one that is asked for fail.
// Events and access reviews, which are no state of the cluster, do not count; watches do not
// either.
type traffic struct {
	next http.RoundTripper
	// namespace that counts.
	namespace string

	mu    sync.Mutex
	all   []string
	reads int
	// writes are those that the API server took, whether they changed anything or not.
	writes []string
	// failAt is the number, from 1, of the write (or read) that fails, and how; 0: none.
	failAt int
	fault  fault
	// failPath makes every write fail whose path ends so.
	failPath string
	// failed is the request that failed.
	failed string
	// dead is set once the client was killed: nothing gets through any more.
	dead bool
	// beforeWrite is called before the first write, if not nil.
	beforeWrite func()
	once        sync.Once
}

// fault is the way in which a request fails.
type fault struct {
	// code of the answer; 0: none comes, and the client gives up waiting.
	code int
	// inEffect lets the request through first, so that it took effect all the same.
	inEffect bool
	// reads: it befalls reads, not writes.
	reads bool
	// every so many requests it befalls another one; 0: it befalls one.
	every int
	// kills the client: all requests that follow fail, too, until it is revived.
	kills bool
}

// befalls reports whether the request that comes so many after the first one that failed does too.
func (f fault) befalls(after int) bool {
	return after == 0 || f.every > 0 && after > 0 && after%f.every == 0
}

// through returns the configuration with the traffic going through t.
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

// errNoAnswer is what a client gets whose request is answered by nobody.
var errNoAnswer = fmt.Errorf("injected: no answer: %w", os.ErrDeadlineExceeded)

// revive ends the effects of a kill, and reports whether there was one.
func (t *traffic) revive() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.dead
	t.dead = false
	return was
}

// reset begins to count anew.
func (t *traffic) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all, t.writes, t.reads = nil, nil, 0
}

// written are the writes since the last reset.
func (t *traffic) written() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string{}, t.writes...)
}

// requests is the number of requests since the last reset.
func (t *traffic) requests() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.all)
}

// counts are the reads and the writes, failed ones too, since the last reset.
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

// disarm lets nothing fail any more.
func (t *traffic) disarm() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failAt = 0
}
