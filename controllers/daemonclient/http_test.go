package daemonclient

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

func TestHTTP(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ask := func(handler http.HandlerFunc) (*config.Status, error) {
		t.Helper()
		server := httptest.NewServer(handler)
		defer server.Close()
		host, port, err := net.SplitHostPort(server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		d := NewHTTP()
		if d.port, err = strconv.Atoi(port); err != nil {
			t.Fatal(err)
		}
		return d.Status(context.Background(), host)
	}
	report, err := ask(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/status" || r.Method != http.MethodGet {
			t.Errorf("%s %s", r.Method, r.URL.Path)
		}
		_, _ = w.Write([]byte(`{"ready":true,"configHash":"abc","passivePorts":"30000-30001","sessions":3,"unknown":1}`))
	})
	if err != nil || report.ConfigHash != "abc" || report.PassivePorts.String() != "30000-30001" {
		t.Errorf("report %+v, %v", report, err)
	}
	for name, handler := range map[string]http.HandlerFunc{
		"an error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		},
		"not JSON": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("220 hello")) },
		"without end": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"reason":"` + strings.Repeat("x", maxReport)))
		},
	} {
		if report, err := ask(handler); err == nil {
			t.Errorf("%s: %+v", name, report)
		}
	}
}
