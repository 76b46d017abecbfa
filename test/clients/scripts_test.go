package clients

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// script is a client library and the script that uses it; the script exits with 0 on success.
type script struct {
	program string
	pkg     string // the Debian package
	file    string // relative to the directory scripts
	// opensslVersion is true if the script can't choose the TLS version, so that OpenSSL's configuration must.
	opensslVersion bool
	// neverReuses is a TLS version in which data connections can't always resume the session, and why says why.
	neverReuses, why string
}

var scripts = []script{
	{
		program: "php", pkg: "php8.2-cli", file: "php.php", opensslVersion: true,
		neverReuses: "1.3", why: "after an upload PHP has no ticket left",
	},
	{program: "ruby", pkg: "ruby", file: "ruby.rb", neverReuses: "1.3", why: "after an upload Ruby has no ticket left"},
	{program: "node", pkg: "nodejs", file: "basic_ftp.js"},
	{program: "python3", pkg: "python3", file: "python.py"},
}

// Libraries do the same operations as programs, in clear text and in each version of TLS, both where data connections
// may and where they must resume the control connection's session.
func TestScripts(t *testing.T) {
	t.Parallel()
	for _, s := range scripts {
		if _, err := exec.LookPath(s.program); err != nil {
			t.Fatalf("%s is not installed: apt-get install %s", s.program, s.pkg)
		}
	}
	t.Run("clear text", func(t *testing.T) {
		t.Parallel()
		d := start(t, ipv4, false, "")
		for _, s := range scripts {
			t.Run(s.file, func(t *testing.T) { s.succeeds(t, d, "") })
		}
	})
	for _, reuse := range []config.SessionReuse{config.SessionReusePrefer, config.SessionReuseRequire} {
		for _, version := range []string{"1.2", "1.3"} {
			t.Run(fmt.Sprintf("TLS %s, %s", version, reuse), func(t *testing.T) {
				t.Parallel()
				d := start(t, ipv4, true, reuse)
				for _, s := range scripts {
					t.Run(s.file, func(t *testing.T) {
						if reuse == config.SessionReuseRequire && version == s.neverReuses {
							s.fails(t, d, version)
							return
						}
						s.succeeds(t, d, version)
					})
				}
			})
		}
	}
}

func (s script) succeeds(t *testing.T, d *daemon, version string) {
	seen := len(d.log.String())
	if out, err := s.run(t, d, version); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, e := range d.entries(seen) {
		if e.Msg == "TLS" && e.Version != "TLS "+version {
			t.Errorf("it used %s", e.Version)
		}
	}
}

// fails tests what docs/protocol.md describes as impossible; if it succeeds, the page is no longer right.
func (s script) fails(t *testing.T, d *daemon, version string) {
	t.Logf("not possible: %s, TLS %s, sessionReuse Require: %s", s.program, version, s.why)
	seen := len(d.log.String())
	if _, err := s.run(t, d, version); err == nil {
		t.Error("it can, after all")
	}
	refused := 0
	for _, e := range audit(d.entries(seen), "upload", "download") {
		if e.Code == 522 {
			refused++
		}
	}
	if refused == 0 {
		t.Error("no transfer was refused by 522")
	}
}

// run runs the script in a directory with the files to transfer.
func (s script) run(t *testing.T, d *daemon, version string) (string, error) {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("scripts", s.file))
	if err != nil {
		t.Fatal(err)
	}
	e := env{daemon: d, local: t.TempDir(), dir: strings.ReplaceAll(s.file, ".", "-")}
	if err := os.Mkdir(e.remote(""), 0o750); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"empty": nil, "a file": content[:30000], "Grüße": []byte("x"), `quo"te's`: []byte("y"),
		"text": bytes.Repeat([]byte("a line of text\n"), 100), "large": content,
	} {
		write(t, e.here(name), content)
	}
	vars := []string{
		"FTP_HOST=" + d.host, "FTP_PORT=" + d.port, "FTP_ROOT=" + d.root, "FTP_DIR=" + e.dir, "FTP_CA=" + d.ca,
		"FTP_TLS=plain", "FTP_VERSION=" + version, "NODE_PATH=" + filepath.Join(cache(t), "npm", "node_modules"),
	}
	if version != "" {
		vars = append(vars, "FTP_TLS=explicit")
	}
	if version != "" && s.opensslVersion {
		vars = append(vars, "OPENSSL_CONF="+opensslVersion(t, version))
	}
	return e.run(t, s.program, invocation{args: []string{file}, env: vars})
}

// opensslVersion writes an OpenSSL configuration that allows one version of TLS, and returns its path.
func opensslVersion(t *testing.T, version string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "openssl.cnf")
	write(t, file, fmt.Appendf(nil, "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\nMinProtocol = TLSv%s\nMaxProtocol = TLSv%s\n", version, version))
	return file
}

// cache returns the directory of the programs that hack/deps.sh installs from elsewhere than Debian.
func cache(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("FTP_OPERATOR_CACHE"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir() // like the scripts in hack: XDG_CACHE_HOME, or .cache
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "ftp-operator")
}
