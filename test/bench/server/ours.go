package server

import (
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

var (
	ours       = ourKind("ftpd", config.DurabilityFsync, current)
	oursNoSync = ourKind("ftpd, no fsync", config.DurabilityNone, current)
)

func current(site Site) string { return site.Ftpd }

// Base returns the project's own server of another commit, as it is by default and without fsync. binary is the
// daemon that was built there, and name the commit.
func Base(name, binary string) []Kind {
	kinds := []Kind{
		ourKind(name, config.DurabilityFsync, func(Site) string { return binary }),
		ourKind(name+", no fsync", config.DurabilityNone, func(Site) string { return binary }),
	}
	for i := range kinds {
		kinds[i].Base = true
	}
	return kinds
}

// passivePorts is the daemon's default number of passive ports.
const passivePorts = 10

// ourKind returns the project's own server: its defaults, ten passive ports, and TLS. It runs without privileges, as
// in a pod.
func ourKind(name string, durability config.Durability, binary func(Site) string) Kind {
	return Kind{
		Name: name, Ours: true, Sync: durability == config.DurabilityFsync, MLSD: true,
		version: func(site Site) *exec.Cmd { return exec.Command(binary(site), "--version") },
		command: func(site Site, dir string, port int) (*exec.Cmd, error) {
			hash, err := passhash.Hash(Password)
			if err != nil {
				return nil, err
			}
			first, err := freePorts(passivePorts)
			if err != nil {
				return nil, err
			}
			var passive config.PortSet
			for i := range passivePorts {
				passive = append(passive, uint16(first+i))
			}
			c := config.Config{
				APIVersion: config.APIVersion,
				Listen:     []string{"127.0.0.1:" + portText(port)},
				Storage:    config.Storage{Root: site.Files, Durability: durability},
				Passive:    config.Passive{Ports: passive},
				TLS:        &config.TLS{Certificates: []config.Certificate{{CertFile: site.Cert, KeyFile: site.Key}}},
				Users:      []config.User{{Name: User, PasswordHash: hash, Home: ".", Access: config.AccessReadWrite}},
			}
			text, err := c.Marshal()
			if err != nil {
				return nil, err
			}
			file := filepath.Join(dir, "ftpd.yaml")
			if _, err := write(dir, "ftpd.yaml", string(text)); err != nil {
				return nil, err
			}
			cmd := exec.Command(binary(site), "--config", file)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
			return cmd, nil
		},
	}
}
