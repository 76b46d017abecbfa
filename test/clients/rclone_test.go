package clients

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

func TestRclone(t *testing.T) {
	rclone := func(e env, args ...string) invocation {
		password, err := exec.Command("rclone", "obscure", "secret").Output()
		if err != nil {
			t.Fatalf("rclone obscure: %v (is rclone installed? apt-get install rclone)", err)
		}
		remote := fmt.Sprintf(":ftp,host=%q,port=%s,user=alice,pass=%s,disable_epsv=%v:%s",
			e.host, e.port, strings.TrimSpace(string(password)), e.mode == pasv, e.dir)
		for i, arg := range args {
			args[i] = strings.ReplaceAll(arg, "REMOTE", remote)
		}
		return invocation{args: append([]string{"--config", "", "--retries", "1", "--low-level-retries", "1", "--timeout", "20s"}, args...)}
	}
	active, resume, ascii := "rclone knows passive mode only", "rclone starts over", "rclone always sends TYPE I"
	matrix(t, client{
		programs: []string{"rclone"}, pkg: "rclone",
		host: map[mode]string{pasv: ipv4, epsv: ipv4},
		do: map[op]func(env) invocation{
			upload:   func(e env) invocation { return rclone(e, "copyto", fileName, "REMOTE/"+fileName) },
			download: func(e env) invocation { return rclone(e, "copyto", "REMOTE/"+fileName, fileName) },
			list:     func(e env) invocation { return rclone(e, "lsf", "REMOTE") },
			mkdir:    func(e env) invocation { return rclone(e, "mkdir", "REMOTE/new dir") },
			rename:   func(e env) invocation { return rclone(e, "moveto", "REMOTE/old name", "REMOTE/new name") },
			remove:   func(e env) invocation { return rclone(e, "deletefile", "REMOTE/"+fileName) },
		},
		cannot: map[string]string{
			string(port): active, string(eprt): active,
			string(resumeUpload): resume, string(resumeDownload): resume,
			string(asciiUpload): ascii, string(asciiDownload): ascii,
		},
	})
}
