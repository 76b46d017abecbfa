package clients

import (
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// TestOpenSSL tests what openssl's client reports about the server's TLS.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("openssl is not installed: apt-get install openssl")
	}
	d := start(t, ipv4, true, config.SessionReuseRequire)
	e := env{daemon: d, local: t.TempDir()}
	client := func(stdin string, args ...string) string {
		out, _ := e.run(t, "openssl", invocation{
			args:  append([]string{"s_client", "-CAfile", d.ca, "-servername", "localhost"}, args...),
			stdin: stdin,
		})
		return out
	}
	explicit := []string{"-connect", net.JoinHostPort(d.host, d.port), "-starttls", "ftp", "-crlf", "-ign_eof"}
	implicit := []string{"-connect", net.JoinHostPort(d.host, d.implicit), "-crlf", "-ign_eof", "-quiet"}
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		for name, args := range map[string][]string{
			"explicit": append(explicit[:6:6], version, "-quiet"),
			"implicit": append(implicit[:5:5], version),
		} {
			if out := client("USER alice\nPASS secret\nPWD\nQUIT\n", args...); !strings.Contains(out, `257 "/"`) || !strings.Contains(out, "221 ") {
				t.Errorf("%s %s: %s", name, version, out)
			}
		}
	}
	if out := client("", append(explicit[:4:4], "-tls1_2")...); !strings.Contains(out, "Verify return code: 0") || !strings.Contains(out, "Extended master secret: yes") {
		t.Errorf("%s", out)
	}
	if out := client("", append(explicit[:4:4], "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")...); strings.Contains(out, "BEGIN CERTIFICATE") {
		t.Errorf("TLS 1.1: %s", out)
	}
	// A line "R" requests a renegotiation, which the server must refuse (RFC 9325 section 3.5).
	if out := client("R\nUSER alice\nPASS secret\nPWD\n", append(explicit[:4:4], "-tls1_2")...); strings.Contains(out, `257 "/"`) || !strings.Contains(out, "RENEGOTIATING") {
		t.Errorf("renegotiation: %s", out)
	}
}
