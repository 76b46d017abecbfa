package clients

import (
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// obscured returns the password in rclone's obscured form.
var obscured = sync.OnceValues(func() (string, error) {
	text, err := exec.Command("rclone", "obscure", "secret").Output()
	return strings.TrimSpace(string(text)), err
})

// rclone returns a client for rclone with options of its FTP remote. Its TLS is Go's. It has no option for the
// authority of FTP servers: it trusts the system's authorities.
func rclone(t *testing.T, options string) client {
	call := func(e env, args ...string) invocation {
		password, err := obscured()
		if err != nil {
			t.Fatalf("rclone obscure: %v (is rclone installed? apt-get install rclone)", err)
		}
		remote := fmt.Sprintf(":ftp,host=%q,port=%s,user=alice,pass=%s,disable_epsv=%v,explicit_tls=%v,tls=%v%s:%s",
			e.host, e.port, password, e.mode == pasv, e.security == explicit, e.security == implicit, options, e.dir)
		for i, arg := range args {
			args[i] = strings.ReplaceAll(arg, "REMOTE", remote)
		}
		return invocation{
			args: append([]string{"--config", "", "--retries", "1", "--low-level-retries", "1", "--timeout", "20s"}, args...),
			env:  []string{"SSL_CERT_FILE=" + e.ca, "SSL_CERT_DIR=/nonexistent"},
		}
	}
	return client{
		programs: []string{"rclone"}, pkg: "rclone",
		host: map[mode]string{pasv: ipv4, epsv: ipv4},
		do: map[op]func(env) invocation{
			upload:         func(e env) invocation { return call(e, "copyto", fileName, "REMOTE/"+fileName) },
			download:       func(e env) invocation { return call(e, "copyto", "REMOTE/"+fileName, fileName) },
			mirrorUpload:   func(e env) invocation { return call(e, "sync", "tree", "REMOTE/tree") },
			mirrorDownload: func(e env) invocation { return call(e, "sync", "REMOTE/tree", "tree") },
			list:           func(e env) invocation { return call(e, "lsf", "REMOTE") },
			mkdir:          func(e env) invocation { return call(e, "mkdir", "REMOTE/new dir") },
			rename:         func(e env) invocation { return call(e, "moveto", "REMOTE/old name", "REMOTE/new name") },
			remove:         func(e env) invocation { return call(e, "deletefile", "REMOTE/"+fileName) },
		},
		cannot: []gap{
			{modes: activeModes, why: "rclone knows passive mode only"},
			{ops: []op{resumeUpload, resumeDownload}, why: "rclone starts over"},
			{ops: []op{asciiUpload, asciiDownload}, why: "rclone always sends TYPE I"},
		},
	}
}

func TestRclone(t *testing.T) {
	c := rclone(t, "")
	c.noReuse = "its control connections share one cache, so a data connection may resume another's session (TestRcloneReuse has it use one)"
	matrix(t, c)
}

func TestRcloneReuse(t *testing.T) {
	c := rclone(t, ",concurrency=1")
	c.cannot = append(c.cannot,
		gap{securities: []security{plain}, why: "without TLS it is what TestRclone tries"})
	matrix(t, c)
}
