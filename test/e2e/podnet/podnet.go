// Package podnet is the network of a pod, for a client outside of the cluster: each connection is a `kubectl exec` of
// the relay (test/e2e/relay) in that pod.
package podnet

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
)

// Pod is the network of one pod that runs the relay. It is an ftpclient.Network.
type Pod struct {
	config    *rest.Config
	clientset kubernetes.Interface
	namespace string
	name      string
}

// New returns the network of a pod.
func New(config *rest.Config, clientset kubernetes.Interface, namespace, name string) *Pod {
	return &Pod{config: config, clientset: clientset, namespace: namespace, name: name}
}

// Dial connects from the pod to host:port. The error contains the relay's output.
func (p *Pod) Dial(ctx context.Context, address string) (net.Conn, error) {
	c, line, err := p.start(ctx, "dial", address)
	if err != nil {
		return nil, fmt.Errorf("dial %s from pod %s: %w", address, p.name, err)
	}
	local, ok := strings.CutPrefix(line, "connected ")
	if !ok {
		return nil, errors.Join(fmt.Errorf("dial %s from pod %s: relay said %q", address, p.name, line), c.Close())
	}
	c.local, c.remote = addr(local), addr(address)
	return c, nil
}

// Listen listens on the pod's address for one connection.
func (p *Pod) Listen(ctx context.Context) (net.Listener, error) {
	c, line, err := p.start(ctx, "listen")
	if err != nil {
		return nil, fmt.Errorf("listen in pod %s: %w", p.name, err)
	}
	local, ok := strings.CutPrefix(line, "listening ")
	if !ok {
		return nil, errors.Join(fmt.Errorf("listen in pod %s: relay said %q", p.name, line), c.Close())
	}
	c.local = addr(local)
	return &listener{conn: c}, nil
}

// start runs the relay and returns its first line of output.
func (p *Pod) start(ctx context.Context, command ...string) (*conn, string, error) {
	request := p.clientset.CoreV1().RESTClient().Post().Resource("pods").
		Namespace(p.namespace).Name(p.name).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{
			Command: append([]string{"/relay"}, command...), Stdin: true, Stdout: true, Stderr: true,
		}, scheme.ParameterCodec)
	executor, err := remotecommand.NewWebSocketExecutor(p.config, "GET", request.URL().String())
	if err != nil {
		return nil, "", err
	}
	stdin, toRelay := io.Pipe()
	fromRelay, stdout := io.Pipe()
	// The connection outlives the call that made it; Close ends it.
	streaming, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c := &conn{in: toRelay, out: bufio.NewReader(fromRelay), cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		var stderr bytes.Buffer
		err := executor.StreamWithContext(streaming, remotecommand.StreamOptions{Stdin: stdin, Stdout: stdout, Stderr: &stderr})
		if said := strings.TrimSpace(stderr.String()); said != "" {
			err = errors.New(said)
		}
		if err == nil {
			err = io.EOF
		}
		// Close both ends, so that neither reader nor writer waits for ever.
		_ = stdout.CloseWithError(err)
		_ = stdin.CloseWithError(err)
	}()
	line, err := c.out.ReadString('\n')
	if err != nil {
		return nil, "", errors.Join(err, c.Close())
	}
	return c, strings.TrimSpace(line), nil
}

// conn is one relayed connection.
type conn struct {
	in            *io.PipeWriter
	out           *bufio.Reader
	cancel        context.CancelFunc
	done          chan struct{}
	local, remote addr

	mu    sync.Mutex
	timer *time.Timer
	late  bool
	mute  bool // the write deadline has passed
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.out.Read(p)
	return n, c.explain(err)
}

func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	mute := c.mute
	c.mu.Unlock()
	if mute {
		return 0, os.ErrDeadlineExceeded
	}
	n, err := c.in.Write(p)
	return n, c.explain(err)
}

// explain returns os.ErrDeadlineExceeded if a deadline ended the relay, and err otherwise.
func (c *conn) explain(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && c.late {
		return os.ErrDeadlineExceeded
	}
	return err
}

// CloseWrite ends the write side of the connection, as on a TCP connection.
func (c *conn) CloseWrite() error { return c.in.Close() }

// Close ends the relay and with it the connection.
func (c *conn) Close() error {
	_ = c.SetDeadline(time.Time{})
	c.cancel()
	<-c.done
	return nil
}

// SetDeadline ends the connection at that time. Unlike a TCP connection, it can't be used again after that.
func (c *conn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	if !t.IsZero() {
		c.timer = time.AfterFunc(time.Until(t), func() {
			c.mu.Lock()
			c.late = true
			c.mu.Unlock()
			c.cancel()
		})
	}
	return nil
}

func (c *conn) SetReadDeadline(t time.Time) error { return c.SetDeadline(t) }

// SetWriteDeadline with a time in the past makes later writes fail and does not affect reads: crypto/tls calls it in
// that way after close_notify.
func (c *conn) SetWriteDeadline(t time.Time) error {
	if !t.IsZero() && !t.After(time.Now()) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.mute = true
		return nil
	}
	return c.SetDeadline(t)
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// listener returns the one connection that the relay accepts. Data that is written to it before the peer has
// connected waits.
type listener struct {
	conn *conn
	once sync.Once
	used bool
}

func (l *listener) Accept() (net.Conn, error) {
	if l.used {
		return nil, net.ErrClosed
	}
	l.used = true
	return l.conn, nil
}

func (l *listener) Close() error {
	var err error
	l.once.Do(func() { err = l.conn.Close() })
	return err
}

func (l *listener) Addr() net.Addr { return l.conn.local }

type addr string

func (addr) Network() string  { return "tcp" }
func (a addr) String() string { return string(a) }
