package prometheus

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"
)

// Dialer makes the connections of a Proxy.
type Dialer interface {
	Dial(ctx context.Context, address string) (net.Conn, error)
}

// Proxy is an HTTP proxy on loopback whose connections are made by a Dialer.
type Proxy struct {
	dialer   Dialer
	server   *http.Server
	listener net.Listener
	pass     *httputil.ReverseProxy
	running  sync.WaitGroup
}

// NewProxy starts a proxy, which runs until Close is called.
func NewProxy(dialer Dialer) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{dialer: dialer, listener: l}
	p.pass = &httputil.ReverseProxy{
		Rewrite: func(*httputil.ProxyRequest) {}, // the request names its target
		Transport: &http.Transport{
			DialContext:       func(ctx context.Context, _, address string) (net.Conn, error) { return dialer.Dial(ctx, address) },
			DisableKeepAlives: true, // each connection is a process in a pod
		},
	}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	p.running.Go(func() { _ = p.server.Serve(l) })
	return p, nil
}

// URL returns the URL to configure as proxy.
func (p *Proxy) URL() string { return "http://" + p.listener.Addr().String() }

// Close ends the proxy and its connections.
func (p *Proxy) Close() error {
	err := p.server.Close()
	p.running.Wait()
	return err
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		p.pass.ServeHTTP(w, r)
		return
	}
	to, err := p.dialer.Dial(r.Context(), r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	from, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		_ = to.Close()
		return
	}
	p.running.Go(func() {
		defer func() { _, _ = from.Close(), to.Close() }()
		if _, err := io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
			return
		}
		var back sync.WaitGroup
		back.Go(func() {
			_, _ = io.Copy(from, to)
			_ = from.Close()
		})
		_, _ = io.Copy(to, buffered)
		_ = to.Close()
		back.Wait()
	})
}
