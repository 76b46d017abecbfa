package clients

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// curl, which reads no reply while it sends, must report why an upload was refused: during the upload by a quota, and
// at once by missing rights, in clear text and with TLS. The audit log must have the same cause.
func TestCurlRefused(t *testing.T) {
	t.Parallel()
	const exceeded, failed = 70, 25 // CURLE_REMOTE_DISK_FULL, CURLE_UPLOAD_FAILED
	for _, s := range []security{plain, explicit} {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			d := start(t, ipv4, s != plain, config.SessionReusePrefer, func(c *config.Config) {
				c.Users[0].Quota = config.Quota{Bytes: 1 << 20}
				c.Users = append(c.Users, ftptest.User("reader", ".", config.AccessReadOnly))
			})
			for range 5 {
				e := env{daemon: d, mode: epsv, security: s, port: d.port, ca: d.ca, local: t.TempDir(), dir: "."}
				write(t, e.here(fileName), random(2, 32<<20))
				seen := len(d.log.String())
				out, err := e.run(t, "curl", curl(e, "-T", fileName, curlURL(e, fileName)))
				if curlCode(err) != exceeded {
					t.Errorf("on the way: %v\n%s", err, out)
				}
				if log := audit(d.ended(t, seen), "upload"); len(log) != 1 || log[0].Code != 552 || !strings.Contains(log[0].Error, "quota") {
					t.Errorf("in the audit log: %+v", log)
				}
				out, err = e.run(t, "curl", curl(e, "-T", fileName, strings.Replace(curlURL(e, fileName), "alice", "reader", 1)))
				if curlCode(err) != failed {
					t.Errorf("at once: %v\n%s", err, out)
				}
			}
		})
	}
}

// curlCode returns curl's exit status; -1 if it did not run.
func curlCode(err error) int {
	exit, failed := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return 0
	case failed:
		return exit.ExitCode()
	default:
		return -1
	}
}
