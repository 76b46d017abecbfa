package httpbound

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a server on loopback with at most this many connections. It answers /hang when the request is canceled.
func serve(t *testing.T, most int) (address string, bounded *Listener) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bounded = Listen(l, most)
	server := &http.Server{ReadHeaderTimeout: time.Hour, ConnState: bounded.State, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			<-r.Context().Done()
		}
		_, _ = io.WriteString(w, "ok")
	})}
	done := make(chan error, 1)
	go func() { done <- server.Serve(bounded) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return l.Addr().String(), bounded
}

func dial(t *testing.T, from, address string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: ftptest.Patience(t)}
	c, err := d.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// get sends a request over a connection and returns the status of the response.
func get(t *testing.T, c net.Conn, path string) (int, error) {
	t.Helper()
	_ = c.SetDeadline(ftptest.Deadline(t))
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode, response.Body.Close()
}

// While one address holds all connections, in any state, a request from another address is answered, and so is one
// from the same address.
func TestProbeIsAnswered(t *testing.T) {
	for name, hold := range map[string]func(*testing.T, net.Conn){
		"silent":    func(*testing.T, net.Conn) {},
		"half sent": func(_ *testing.T, c net.Conn) { _, _ = io.WriteString(c, "GET /hea") },
		"idle": func(t *testing.T, c net.Conn) {
			if code, err := get(t, c, "/"); code != http.StatusOK {
				t.Fatal(code, err)
			}
		},
		"answered for ever": func(_ *testing.T, c net.Conn) { _, _ = io.WriteString(c, "GET /hang HTTP/1.1\r\nHost: x\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			const most = 8
			address, bounded := serve(t, most)
			for range 3 * most {
				hold(t, dial(t, "127.0.0.2", address))
			}
			for _, from := range []string{"127.0.0.1", "127.0.0.2"} {
				if code, err := get(t, dial(t, from, address), "/"); code != http.StatusOK {
					t.Errorf("from %s: %d, %v", from, code, err)
				}
			}
			bounded.mu.Lock()
			defer bounded.mu.Unlock()
			if n := len(bounded.conns); n > most {
				t.Errorf("%d are open, of %d", n, most)
			}
		})
	}
}

// A request that is being answered goes on while a crowd from another address comes and goes.
func TestAnswerGoesOn(t *testing.T) {
	address, _ := serve(t, 4)
	slow := dial(t, "127.0.0.1", address)
	_, _ = io.WriteString(slow, "GET /hang HTTP/1.1\r\nHost: x\r\n\r\n")
	for range 40 {
		if code, err := get(t, dial(t, "127.0.0.2", address), "/"); code != http.StatusOK {
			t.Fatal(code, err)
		}
	}
	_ = slow.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := slow.Read(make([]byte, 1)); err == nil || err == io.EOF { //nolint:errorlint // as Read returns it
		t.Errorf("it was closed: %v", err)
	}
}

// pipe is a listener whose connections come from the address that the test sets.
type pipe struct {
	net.Listener
	from string
}

func (p *pipe) Accept() (net.Conn, error) { return &end{from: p.from}, nil }

type end struct {
	net.Conn
	from   string
	closed bool
}

func (e *end) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.ParseIP(e.from)}
}
func (e *end) Close() error { e.closed = true; return nil }

// There are never more connections than allowed, and the newest is always open. The one that gives way belongs to the
// address with the most connections, and no other connection of that address should have given way before it.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 5).Draw(t, "most")
		from := &pipe{}
		l := Listen(from, most)
		var open []*conn
		t.Repeat(map[string]func(*rapid.T){
			"accept": func(t *rapid.T) {
				from.from = fmt.Sprintf("192.0.2.%d", rapid.IntRange(1, 3).Draw(t, "from"))
				crowds := map[string]int{}
				for _, c := range open {
					crowds[c.host]++
				}
				accepted, _ := l.Accept()
				newest := accepted.(*conn)
				var staying []*conn
				var gone *conn
				for _, c := range open {
					if c.Conn.(*end).closed {
						gone = c
					} else {
						staying = append(staying, c)
					}
				}
				if (gone != nil) != (len(open) == most) || newest.Conn.(*end).closed {
					t.Fatalf("%d of %d were open, and %v had to go", len(open), most, gone)
				}
				for _, c := range staying {
					if gone != nil && before(c, gone, crowds) {
						t.Fatalf("%+v had to go, not %+v", gone, c)
					}
				}
				staying = append(staying, newest)
				open = staying
			},
			"state": func(t *rapid.T) {
				if len(open) > 0 {
					l.State(rapid.SampledFrom(open).Draw(t, "connection"), rapid.SampledFrom([]http.ConnState{http.StateIdle, http.StateActive}).Draw(t, "state"))
				}
			},
			"close": func(t *rapid.T) {
				if len(open) > 0 {
					i := rapid.IntRange(0, len(open)-1).Draw(t, "connection")
					_ = open[i].Close()
					open = append(open[:i:i], open[i+1:]...)
				}
			},
			"": func(t *rapid.T) {
				if len(l.conns) != len(open) || len(open) > most {
					t.Fatalf("%d are counted, %d are open", len(l.conns), len(open))
				}
			},
		})
	})
}
