package clients

import (
	"fmt"
	"testing"
)

// TestLftp tests lftp, which is built with GnuTLS.
func TestLftp(t *testing.T) {
	lftp := func(e env, script string) invocation {
		host := e.host
		if e.ipv6() {
			host = "[" + host + "]"
		}
		if e.security == implicit {
			host = "ftps://" + host
		}
		settings := fmt.Sprintf("set cmd:fail-exit yes; set net:max-retries 1; set net:timeout 20; set xfer:clobber yes; "+
			"set ftp:passive-mode %v; set ftp:prefer-epsv %v; set ftp:use-abor yes; ", !e.active(), e.mode == epsv)
		if e.secure() {
			settings += fmt.Sprintf("set ftp:ssl-force yes; set ftp:ssl-protect-data yes; set ssl:ca-file %q; ", e.ca)
		} else {
			settings += "set ftp:ssl-allow no; "
		}
		open := fmt.Sprintf("open -u alice,secret -p %s %s; cd %s; ", e.port, host, e.dir)
		return invocation{args: []string{"--norc", "-c", settings + open + script}}
	}
	quoted := `"` + fileName + `"`
	script := func(s string) func(env) invocation { return func(e env) invocation { return lftp(e, s) } }
	matrix(t, client{
		programs: []string{"lftp"}, pkg: "lftp",
		// In active mode it sends PORT for IPv4 and EPRT for IPv6.
		host: map[mode]string{pasv: ipv4, epsv: ipv4, port: ipv4, eprt: ipv6},
		do: map[op]func(env) invocation{
			upload:         script("put " + quoted),
			download:       script("get " + quoted),
			resumeUpload:   script("put -c " + quoted),
			resumeDownload: script("get -c " + quoted),
			asciiUpload:    script("put -a " + quoted),
			asciiDownload:  script("get -a " + quoted),
			mirrorUpload:   script("mirror -R tree"),
			mirrorDownload: script("mirror --parallel=2 tree"),
			list:           script("ls"),
			mkdir:          script(`mkdir "new dir"`),
			rename:         script(`mv "old name" "new name"`),
			remove:         script("rm " + quoted),
		},
	})
}
