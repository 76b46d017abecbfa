package controllers_test

import (
	"fmt"
	"io"
	"net/http"
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
	// failAt is the number, from 1, of the write (or read, with failReads) that fails with code; 0: none.
	failAt, code int
	failReads    bool
	// failPath makes every write fail whose path ends so.
	failPath string
	// dropAnswer lets the failing request through first, so that it took effect all the same.
	dropAnswer bool
	// failed is the request that failed.
	failed string
	// beforeWrite is called before the first write, if not nil.
	beforeWrite func()
	once        sync.Once
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
	if t.failReads {
		number = t.reads
	}
	fails := t.failAt == number && t.failReads == isRead && t.failed == ""
	if t.failPath != "" && !isRead && strings.HasSuffix(path, t.failPath) {
		fails = true
	}
	if fails {
		t.failed = r.Method + " " + path
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
	if t.dropAnswer {
		response, err := t.next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		_ = response.Body.Close()
	} else if r.Body != nil {
		_ = r.Body.Close()
	}
	reason := map[int]string{http.StatusConflict: "Conflict", http.StatusInternalServerError: "InternalError"}[t.code]
	body := fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"code":%d,"message":"injected"}`, reason, t.code)
	return &http.Response{
		StatusCode: t.code, Status: http.StatusText(t.code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)), Request: r,
	}, nil
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

// disarm lets nothing fail any more.
func (t *traffic) disarm() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failAt = 0
}
