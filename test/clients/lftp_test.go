package clients

import (
	"fmt"
	"testing"
)

func TestLftp(t *testing.T) {
	lftp := func(e env, script string) invocation {
		host := e.host
		if e.ipv6() {
			host = "[" + host + "]"
		}
		settings := fmt.Sprintf("set cmd:fail-exit yes; set net:max-retries 1; set net:timeout 20; set xfer:clobber yes; "+
			"set ftp:passive-mode %v; set ftp:prefer-epsv %v; set ftp:ssl-allow no; set ftp:use-abor yes; ",
			!e.active(), e.mode == epsv)
		open := fmt.Sprintf("open -u alice,secret -p %s %s; cd %s; ", e.port, host, e.dir)
		return invocation{args: []string{"--norc", "-c", settings + open + script}}
	}
	quoted := `"` + fileName + `"`
	matrix(t, client{
		programs: []string{"lftp"}, pkg: "lftp",
		// In active mode it sends PORT for IPv4 and EPRT for IPv6.
		host: map[mode]string{pasv: ipv4, epsv: ipv4, port: ipv4, eprt: ipv6},
		do: map[op]func(env) invocation{
			upload:         func(e env) invocation { return lftp(e, "put "+quoted) },
			download:       func(e env) invocation { return lftp(e, "get "+quoted) },
			resumeUpload:   func(e env) invocation { return lftp(e, "put -c "+quoted) },
			resumeDownload: func(e env) invocation { return lftp(e, "get -c "+quoted) },
			asciiUpload:    func(e env) invocation { return lftp(e, "put -a "+quoted) },
			asciiDownload:  func(e env) invocation { return lftp(e, "get -a "+quoted) },
			list:           func(e env) invocation { return lftp(e, "ls") },
			mkdir:          func(e env) invocation { return lftp(e, `mkdir "new dir"`) },
			rename:         func(e env) invocation { return lftp(e, `mv "old name" "new name"`) },
			remove:         func(e env) invocation { return lftp(e, "rm "+quoted) },
		},
	})
}
