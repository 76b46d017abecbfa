package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// configured is the program with a configuration file that tests write.
type configured struct {
	*daemon
	t    *testing.T
	file string
	config.Config
}

// startConfigured runs the program with a configuration file and more arguments. edit may change the configuration.
func startConfigured(t *testing.T, edit func(*config.Config), args ...string) *configured {
	t.Helper()
	addr, passive := ports(t)
	set, err := config.ParsePortSet(passive)
	if err != nil {
		t.Fatal(err)
	}
	none := config.Duration(0)
	c := &configured{t: t, file: filepath.Join(t.TempDir(), "ftpd.yaml"), Config: config.Config{
		APIVersion: config.APIVersion,
		Listen:     []string{addr},
		Storage:    config.Storage{Root: t.TempDir()},
		Passive:    config.Passive{Ports: set},
		Users:      []config.User{ftptest.User("alice", ".", config.AccessReadWrite)},
		Drain:      config.Drain{LameDuck: &none},
	}}
	if edit != nil {
		edit(&c.Config)
	}
	c.write(c.Config)
	c.daemon = start(t, addr, append([]string{"--config", c.file}, args...)...)
	return c
}

func (c *configured) write(content config.Config) {
	c.t.Helper()
	data, err := content.Marshal()
	if err != nil {
		c.t.Fatal(err)
	}
	c.writeText(data)
}

func (c *configured) writeText(text []byte) {
	c.t.Helper()
	if err := os.WriteFile(c.file, text, 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *configured) logged(text string) {
	c.t.Helper()
	ftptest.Eventually(c.t, "the log has "+text, func() bool { return strings.Contains(c.stderr.String(), text) })
}
