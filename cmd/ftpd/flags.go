package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/manage"
	"github.com/ftp-operator/ftp-operator/ftpd/safelog"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

// errHelp means that the user asked for help.
var errHelp = pflag.ErrHelp

// flags is the parsed command line.
type flags struct {
	set *pflag.FlagSet

	config string
	judged string // the file of --check

	root      string
	users     []string
	listen    []string
	ports     string
	advertise string
	charset   string
	active    bool
	tlsCert   string
	tlsKey    string
	tlsListen []string
	admin     string

	data []byte // the configuration file that the flags amount to

	api string

	logFormat string
	logLevel  string
	version   bool
}

// standalone lists the flags that replace a configuration file.
var standalone = []string{"root", "user", "listen", "passive-ports", "advertise", "charset", "active", "tls-cert", "tls-key", "tls-listen", "admin"}

// parseFlags parses and checks the command line. The error names the flag and the remedy.
func parseFlags(args []string) (*flags, error) {
	f := &flags{set: pflag.NewFlagSet("ftpd", pflag.ContinueOnError)}
	f.set.SortFlags = false
	f.set.SetOutput(io.Discard) // run prints errors
	f.set.StringVar(&f.config, "config", "", "configuration `FILE`; it is watched, and a valid change takes effect at once")
	f.set.StringVar(&f.judged, "check", "", "check the configuration `FILE` and the files that it names, and exit: 0 if it is right, 1 if not. It is strict: what this version does not know is an error here, while --config ignores it with a warning")
	f.set.StringVar(&f.root, "root", "", "serve the directory `DIR`")
	f.set.StringArrayVar(&f.users, "user", nil, "let `NAME:PASSWORD` log in, with access to all of DIR; may repeat. PASSWORD may be a hash ($argon2id$... or $2b$...)")
	f.set.StringArrayVar(&f.listen, "listen", []string{config.DefaultListen}, "control port, as `HOST:PORT`; HOST may be empty; may repeat")
	f.set.StringVar(&f.ports, "passive-ports", "30000-30009", "`PORTS` for data connections, such as 30000-30009,30020")
	f.set.StringVar(&f.advertise, "advertise", "", "`ADDRESS` that clients reach the passive ports by, an IP address or a host name; default: the one they reached the control port by")
	f.set.StringVar(&f.charset, "charset", "", "`CHARSET` of names for clients that don't send OPTS UTF8 ON: utf-8, latin1, windows-1252 and others; default: utf-8")
	f.set.BoolVar(&f.active, "active", false, "allow active mode (PORT, EPRT)")
	f.set.StringVar(&f.tlsCert, "tls-cert", "", "allow FTP over TLS with the certificate in `FILE`, PEM, the intermediate ones after it; it is read again as it changes")
	f.set.StringVar(&f.tlsKey, "tls-key", "", "`FILE` of the certificate's key, PEM")
	f.set.StringArrayVar(&f.tlsListen, "tls-listen", nil, "control port on which TLS begins at once, as `HOST:PORT`; may repeat")
	f.set.StringVar(&f.admin, "admin", "", "serve /healthz, /readyz, /status and /metrics by HTTP on `HOST:PORT`")
	f.set.StringVar(&f.api, "api", "", "serve the management API (sessions, bans, drain, profiles) by HTTP on `ADDRESS`, as 127.0.0.1:PORT or unix:FILE; it asks nobody for a password")
	f.set.StringVar(&f.logFormat, "log-format", "text", "`FORMAT` of the log: text or json")
	f.set.StringVar(&f.logLevel, "log-level", "info", "least `LEVEL` that is logged: debug, info, warn or error")
	f.set.BoolVar(&f.version, "version", false, "print the version and exit")
	if err := f.set.Parse(args); err != nil {
		return f, err
	}
	if f.version {
		return f, nil
	}
	err := f.check()
	return f, err
}

func (f *flags) check() error {
	if rest := f.set.Args(); len(rest) > 0 {
		return fmt.Errorf("unexpected argument %q: everything is said by flags", rest[0])
	}
	if _, err := f.logger(io.Discard); err != nil {
		return err
	}
	if f.api != "" {
		if err := manage.CheckAddress(f.api); err != nil {
			return fmt.Errorf("--api: %w", err)
		}
	}
	if f.judged != "" {
		for _, name := range append([]string{"config", "api"}, standalone...) {
			if f.set.Changed(name) {
				return fmt.Errorf("--%s can't be used with --check, which serves nothing", name)
			}
		}
		return nil
	}
	if f.config != "" {
		for _, name := range standalone {
			if f.set.Changed(name) {
				return fmt.Errorf("--%s can't be used with --config: say it in the configuration file", name)
			}
		}
		return nil
	}
	if f.root == "" {
		return errors.New("--root is missing: name the directory to serve, or a configuration file with --config")
	}
	if len(f.users) == 0 {
		return errors.New("--user is missing: give at least one as --user NAME:PASSWORD")
	}
	if info, err := os.Stat(f.root); err != nil || !info.IsDir() {
		return fmt.Errorf("--root %q is not a directory: make it, or name another", f.root)
	}
	for _, address := range f.listen {
		if err := checkAddress("listen", address); err != nil {
			return err
		}
	}
	if (f.tlsCert == "") != (f.tlsKey == "") {
		return errors.New("--tls-cert and --tls-key belong together: give both")
	}
	if len(f.tlsListen) > 0 && f.tlsCert == "" {
		return errors.New("--tls-listen needs a certificate: give --tls-cert and --tls-key")
	}
	for _, address := range f.tlsListen {
		if err := checkAddress("tls-listen", address); err != nil {
			return err
		}
	}
	if f.admin != "" {
		if err := checkAddress("admin", f.admin); err != nil {
			return err
		}
	}
	data, err := f.build()
	if err != nil {
		return err
	}
	if _, err := config.Parse(data); err != nil {
		return inFlags(err)
	}
	f.data = data
	return nil
}

func checkAddress(flag, address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		hint := "HOST:PORT, such as 127.0.0.1:2121 or :2121"
		if ip, ipErr := netip.ParseAddr(address); ipErr == nil && ip.Is6() {
			hint = "[" + address + "]:PORT"
		}
		return fmt.Errorf("--%s %q: write it as %s", flag, address, hint)
	}
	return nil
}

// fieldFlags maps the fields of a configuration to the flags that set them.
var fieldFlags = []struct {
	field *regexp.Regexp
	flag  string
}{
	{regexp.MustCompile(`\busers\[\d+\](\.\w+)?`), "--user"},
	{regexp.MustCompile(`\btls\.implicitListen\[\d+\]`), "--tls-listen"},
	{regexp.MustCompile(`\blisten\[\d+\]`), "--listen"},
	{regexp.MustCompile(`\badminAddress\b`), "--admin"},
	{regexp.MustCompile(`\bstorage\.root\b`), "--root"},
	{regexp.MustCompile(`\bcharset\b`), "--charset"},
	{regexp.MustCompile(`\bpassive\.advertisedAddress\b`), "--advertise"},
	{regexp.MustCompile(`\bpassive\.ports\b`), "--passive-ports"},
}

// inFlags replaces the fields in an error about a configuration by the flags that the user has written.
func inFlags(err error) error {
	text := err.Error()
	for _, ff := range fieldFlags {
		text = ff.field.ReplaceAllLiteralString(text, ff.flag)
	}
	return errors.New(text)
}

// build returns the configuration that the flags amount to, as a file: the server takes only files.
func (f *flags) build() ([]byte, error) {
	root, err := filepath.Abs(f.root)
	if err != nil {
		return nil, fmt.Errorf("--root %q: %w", f.root, err)
	}
	ports, err := config.ParsePortSet(f.ports)
	if err != nil {
		return nil, fmt.Errorf("--passive-ports: %w", err)
	}
	if len(ports) == 0 {
		return nil, errors.New("--passive-ports is empty: write ports, as in 30000-30009")
	}
	noLameDuck := config.Duration(0) // no routing must catch up when the daemon is ended from the keyboard
	c := config.Config{
		APIVersion:   config.APIVersion,
		Listen:       f.listen,
		AdminAddress: f.admin,
		Charset:      config.Charset(f.charset),
		Storage:      config.Storage{Root: root},
		Passive:      config.Passive{Ports: ports, AdvertisedAddress: f.advertise},
		Active:       config.Active{Enabled: f.active},
		Drain:        config.Drain{LameDuck: &noLameDuck},
	}
	if f.tlsCert != "" {
		c.TLS = &config.TLS{ImplicitListen: f.tlsListen}
		cert, err1 := filepath.Abs(f.tlsCert)
		key, err2 := filepath.Abs(f.tlsKey)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("--tls-cert: %w", err)
		}
		c.TLS.Certificates = []config.Certificate{{CertFile: cert, KeyFile: key}}
	}
	names := map[string]bool{}
	for _, text := range f.users {
		u, err := parseUser(text)
		if err != nil {
			return nil, err
		}
		if names[u.Name] {
			return nil, fmt.Errorf("--user %s is given twice: names must be unique", u.Name)
		}
		names[u.Name] = true
		c.Users = append(c.Users, u)
	}
	return c.Marshal()
}

// parseUser parses NAME:PASSWORD. The error never contains the password.
func parseUser(text string) (config.User, error) {
	name, password, found := strings.Cut(text, ":")
	if !found || name == "" || password == "" {
		return config.User{}, fmt.Errorf("--user %q: write it as NAME:PASSWORD, both not empty", name)
	}
	hashed, err := passhash.Configured(password)
	if err != nil {
		return config.User{}, fmt.Errorf("--user %s: the password %w", name, err)
	}
	hash := password
	if !hashed {
		if hash, err = passhash.Hash(password); err != nil {
			return config.User{}, fmt.Errorf("--user %s: %w", name, err)
		}
	}
	return config.User{Name: name, PasswordHash: hash, Home: ".", Access: config.AccessReadWrite}, nil
}

// logger returns the logger that the flags ask for.
func (f *flags) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, fmt.Errorf("--log-level %q: choose debug, info, warn or error", f.logLevel)
	}
	w = safelog.Writer(w)
	o := &slog.HandlerOptions{Level: level}
	switch f.logFormat {
	case "text":
		return slog.New(safelog.Handler(slog.NewTextHandler(w, o))), nil
	case "json":
		return slog.New(safelog.Handler(slog.NewJSONHandler(w, o))), nil
	}
	return nil, fmt.Errorf("--log-format %q: choose text or json", f.logFormat)
}

// help returns the text that --help prints.
func (f *flags) help() string {
	return `ftpd serves files by FTP.

Usage:
  ftpd --root DIR --user NAME:PASSWORD [--user ...] [flags]
  ftpd --config FILE [--api ADDRESS] [--log-format FORMAT] [--log-level LEVEL]
  ftpd --check FILE
  ftpd hash

Examples:
  A directory on this machine only:
    ftpd --root /srv/files --user alice:secret --listen 127.0.0.1:2121 \
         --passive-ports 30000-30009 --advertise 127.0.0.1
  The same for a network behind NAT; open port 2121 and 30000-30009 in the firewall:
    ftpd --root /srv/files --user alice:secret --listen :2121 \
         --passive-ports 30000-30009 --advertise ftp.example.com \
         --tls-cert /etc/ftpd/tls.crt --tls-key /etc/ftpd/tls.key
  Try it:
    curl -T report.pdf ftp://alice:secret@127.0.0.1:2121/

Flags:
` + f.set.FlagUsages() + `
The command line of a process can be seen by every user of a machine: where that matters, give
a hash in place of the password, or use --config. 'ftpd hash' makes one: see 'ftpd hash --help'.

Signals: SIGTERM or SIGINT ends the daemon when no session works any more (a second one at once),
SIGHUP reads the configuration file again.
`
}
