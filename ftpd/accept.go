package ftpd

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/proxy"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

// Serve accepts control connections from l, a listener made by Listen, until Shutdown or Close is called or l fails.
// It closes l, and always returns an error, which is ErrServerClosed after Shutdown and Close. It may be called for
// several listeners. The first call binds the passive ports.
func (s *Server) Serve(l net.Listener) error { return s.serve(l, false) }

// ServeTLS is like Serve, but each connection starts with a TLS handshake (implicit FTPS).
func (s *Server) ServeTLS(l net.Listener) error { return s.serve(l, true) }

func (s *Server) serve(l net.Listener, implicit bool) error {
	if !s.track(l) {
		_ = l.Close()
		return ErrServerClosed
	}
	defer s.untrack(l)
	if err := s.start(); err != nil {
		return err
	}
	s.log.Info("serving", "address", l.Addr().String(), "implicit", implicit)
	loop := socket.AcceptLoop{
		Accept: func() error {
			conn, err := l.Accept()
			if err == nil {
				s.acceptTCP(conn, implicit)
			}
			return err
		},
		Ended: func(err error) bool { return s.now() == phaseClosed || !socket.IsTransient(err) },
		Failed: func(err error, _ bool, pause time.Duration) {
			s.log.Error("accept failed", "error", err, "retryIn", pause)
		},
		Done: s.ctx.Done(),
	}
	if err := loop.Run(); err != nil && s.now() != phaseClosed {
		return fmt.Errorf("accept: %w", err)
	}
	return ErrServerClosed
}

// acceptTCP starts a session for an accepted connection. It closes a connection that is not TCP.
func (s *Server) acceptTCP(c net.Conn, implicit bool) {
	conn, ok := c.(*net.TCPConn)
	if !ok {
		s.log.Error("not a TCP connection", "type", fmt.Sprintf("%T", c))
		_ = c.Close()
		return
	}
	s.headers.Identify(conn, s.settings.Load().proxy, func(o proxy.Origin, err error) {
		a := arrival{srv: s, conn: conn, implicit: implicit, origin: o}
		a.identified(err)
	})
}

func (s *Server) track(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now() == phaseClosed {
		return false
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) untrack(l net.Listener) {
	_ = l.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

// ListenAndServe serves on every address of the configuration's listen and tls.implicitListen until Shutdown or Close
// is called, when it returns ErrServerClosed, or until one of the listeners fails. A reload may change
// tls.implicitListen: its listeners are then opened and closed accordingly.
func (s *Server) ListenAndServe() error {
	s.reloading.Lock()
	cfg := s.settings.Load().cfg
	listeners, err := listenAll("listen", cfg.Listen)
	if err != nil {
		s.reloading.Unlock()
		return err
	}
	fresh, err := s.implicit.begin(cfg)
	if err != nil {
		s.reloading.Unlock()
		closeAll(listeners)
		return err
	}
	s.serveImplicit(cfg, fresh)
	s.reloading.Unlock()

	ended := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { ended <- s.Serve(l) }()
	}
	left := len(listeners)
	var first error
	select {
	case first = <-ended:
		left--
	case first = <-s.implicit.failed:
	}
	if !errors.Is(first, ErrServerClosed) {
		_ = s.Close()
	}
	for range left {
		if err := <-ended; errors.Is(first, ErrServerClosed) {
			first = err // report the failure rather than the closing that it caused
		}
	}
	s.reloading.Lock()
	s.implicit.open = nil // a reload opens no more of them
	s.reloading.Unlock()
	s.implicit.serving.Wait()
	return first
}

// listenAll listens on all of the addresses. If one fails it closes the others and returns the error.
func listenAll(field string, addresses []string) ([]net.Listener, error) {
	var listeners []net.Listener
	for _, address := range addresses {
		l, err := Listen(address)
		if err != nil {
			closeAll(listeners)
			return nil, fmt.Errorf("%s: %w", field, err)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

// Listen listens for control connections on a TCP address, such as ":21". The listener is for Serve or ServeTLS.
func Listen(address string) (net.Listener, error) { return socket.Listen(address) }

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close()
	}
}

// implicitPorts holds the listeners of tls.implicitListen while ListenAndServe runs. Server.reloading guards it.
type implicitPorts struct {
	open    map[string]net.Listener // by address; nil: ListenAndServe does not run
	failed  chan error              // receives the first error of one of the listeners
	serving sync.WaitGroup
}

// begin opens the listeners of the first configuration and returns them by address.
func (i *implicitPorts) begin(cfg *config.Config) (map[string]net.Listener, error) {
	i.open, i.failed = map[string]net.Listener{}, make(chan error, 1)
	fresh, err := i.listen(cfg)
	if err != nil {
		i.open = nil
	}
	return fresh, err
}

// listen opens the listeners of a configuration that are not open yet and returns them by address. If one fails it
// opens none.
func (i *implicitPorts) listen(cfg *config.Config) (map[string]net.Listener, error) {
	if i.open == nil || cfg.TLS == nil {
		return nil, nil
	}
	var missing []string
	for _, address := range cfg.TLS.ImplicitListen {
		if i.open[address] == nil {
			missing = append(missing, address)
		}
	}
	listeners, err := listenAll("tls.implicitListen", missing)
	if err != nil {
		return nil, err
	}
	fresh := make(map[string]net.Listener, len(missing))
	for n, address := range missing {
		fresh[address] = listeners[n]
	}
	return fresh, nil
}

// serveImplicit starts serving on fresh, the listeners that listen has opened for cfg, which is now in force, and
// closes the listeners that cfg does not name. Open sessions continue.
func (s *Server) serveImplicit(cfg *config.Config, fresh map[string]net.Listener) {
	for address, l := range s.implicit.open {
		if cfg.TLS == nil || !slices.Contains(cfg.TLS.ImplicitListen, address) {
			delete(s.implicit.open, address)
			_ = l.Close()
			s.log.Info("no longer serving", "address", l.Addr().String(), "implicit", true)
		}
	}
	for address, l := range fresh {
		s.implicit.open[address] = l
		s.implicit.serving.Go(func() {
			err := s.ServeTLS(l)
			if errors.Is(err, ErrServerClosed) || errors.Is(err, net.ErrClosed) {
				return // closed by Close, or by the loop above
			}
			select {
			case s.implicit.failed <- err:
			default:
			}
		})
	}
}
