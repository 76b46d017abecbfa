package ftpd

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/passive"
	"github.com/ftp-operator/ftp-operator/ftpd/proxy"
)

// podAddressFile is the path of config.PodAddressFile; empty where the ports come from no file.
func podAddressFile(c *config.Config) string {
	if c.Passive.PortsFile == "" {
		return ""
	}
	return filepath.Join(filepath.Dir(c.Passive.PortsFile), config.PodAddressFile)
}

// advertised is the IPv4 (want4) or IPv6 address to advertise; the zero Addr if there is none of that family. Where the
// pod has an address of its own, that one is the only one: the configuration's may lead to another pod.
func (s *Server) advertised(want4 bool) netip.Addr {
	own := s.podAddress.Addr()
	switch {
	case !own.IsValid():
		return s.resolver.Addr(want4)
	case own.Is4() == want4:
		return own
	}
	return netip.Addr{}
}

// portsFilePoll is how often passive.portsFile is looked at until it holds the ports.
const portsFilePoll = 250 * time.Millisecond

// portsFileSettle is how long its content must stay the same to count.
const portsFileSettle = 50 * time.Millisecond

// bindPorts binds the passive ports, for the life of the server.
func (s *Server) bindPorts(ports config.PortSet) error {
	host, err := passiveHost(s.settings.Load().cfg.Listen)
	if err != nil {
		return err
	}
	pool, err := passive.ListenBehind(host, ports, s.log, func() *proxy.Policy { return s.settings.Load().proxy })
	if err != nil {
		return fmt.Errorf("passive.ports: %w", err)
	}
	s.ports.Store(pool)
	s.bound()
	s.portsWait.Store(nil)
	s.log.Info("passive ports bound", "ports", ports.String())
	return nil
}

func (s *Server) waitForPorts(why string) { s.portsWait.Store(&why) }

// passiveHost is the IP address to bind passive ports on: the control port's, or "" for every
// address if there are several of those.
func passiveHost(listen []string) (string, error) {
	var host string
	for i, address := range listen {
		h, _, err := net.SplitHostPort(address)
		if err != nil {
			return "", fmt.Errorf("listen: %w", err)
		}
		if i > 0 && h != host {
			return "", nil
		}
		host = h
	}
	if host == "" {
		return "", nil
	}
	ip, err := net.ResolveIPAddr("ip", host)
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	return ip.String(), nil
}

// awaitPortsFile binds the ports that the file holds once it holds any, and never looks at it
// again: a session may have been told any of them.
func (s *Server) awaitPortsFile(file string) {
	s.waitForPorts("waiting for the passive ports in " + file)
	tick := time.NewTicker(portsFilePoll)
	defer tick.Stop()
	last := ""
	for {
		why := s.tryPortsFile(file)
		if why == "" {
			return
		}
		if why != last {
			s.log.Info("not ready", "reason", why)
			s.waitForPorts(why)
			last = why
		}
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			return
		}
	}
}

// tryPortsFile binds the file's ports, or returns why it could not.
func (s *Server) tryPortsFile(file string) string {
	text, err := s.readSettled(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "passive.portsFile: " + err.Error()
	}
	ports, err := config.ParsePortSet(string(text))
	if err != nil {
		return "passive.portsFile " + file + ": " + err.Error()
	}
	if len(ports) == 0 {
		return "waiting for the passive ports in " + file
	}
	// Both files come in one piece. With the ports the first session may come, which must be told the pod's own address.
	s.podAddress.Look(s.ctx)
	if err := s.bindPorts(ports); err != nil {
		return err.Error()
	}
	return ""
}

// readSettled reads a file until it finds it the same twice: the begin of "30000-30009" is a port,
// too, and what is bound stays.
func (s *Server) readSettled(file string) ([]byte, error) {
	last, err := os.ReadFile(file)
	for err == nil && len(last) > 0 {
		select {
		case <-time.After(portsFileSettle):
		case <-s.ctx.Done():
			return nil, s.ctx.Err()
		}
		var again []byte
		if again, err = os.ReadFile(file); bytes.Equal(last, again) {
			break
		}
		last = again
	}
	return last, err
}
