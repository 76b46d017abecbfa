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

// podAddressFile returns the path of config.PodAddressFile; "" if the passive ports do not come from a file.
func podAddressFile(c *config.Config) string {
	if c.Passive.PortsFile == "" {
		return ""
	}
	return filepath.Join(filepath.Dir(c.Passive.PortsFile), config.PodAddressFile)
}

// advertised returns the IPv4 (want4) or IPv6 address to advertise; the zero Addr if there is none of that family. If
// the pod has an address of its own, only that one is advertised: the configuration's address may lead to another
// pod.
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

// portsFilePoll is the interval at which passive.portsFile is read until it holds ports.
const portsFilePoll = 250 * time.Millisecond

// portsFileSettle is the time for which the file's content must stay the same before it is used.
const portsFileSettle = 50 * time.Millisecond

// bindPorts binds the passive ports. They stay bound until the server is closed.
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

// passiveHost returns the IP address to bind passive ports on: the address of the control listeners, or "", which
// means every address, if they do not all have the same one.
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

// awaitPortsFile reads the file until it holds ports, and binds those. It never reads the file again, because
// sessions may have told clients any of these ports.
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

// tryPortsFile binds the file's ports. It returns "" if that succeeded, else why not.
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
	// Both files are written together. Read the pod's address before the ports are bound: the first session may come
	// as soon as they are, and its client must be told the pod's own address.
	s.podAddress.Look(s.ctx)
	if err := s.bindPorts(ports); err != nil {
		return err.Error()
	}
	return ""
}

// readSettled reads a file until two reads in a row return the same. A half-written file must not be used: the
// beginning of "30000-30009" is a valid port, too, and ports that are bound stay bound.
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
