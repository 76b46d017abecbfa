package clients

import "testing"

func TestTnftp(t *testing.T) {
	tnftp := func(e env, script string) invocation {
		setup := "open " + e.host + " " + e.port + "\nuser alice secret\nbinary\ncd " + e.dir + "\n"
		if e.mode == pasv || e.mode == port {
			setup = "epsv\n" + setup // this switches it off
		}
		if e.active() {
			setup = "passive off\n" + setup
		} else {
			setup = "passive on\n" + setup
		}
		return invocation{args: []string{"-n", "-v"}, stdin: setup + script + "\nbye\n"}
	}
	script := func(s string) func(env) invocation { return func(e env) invocation { return tnftp(e, s) } }
	quoted := `"` + fileName + `"`
	matrix(t, client{
		programs: []string{"tnftp"}, pkg: "tnftp",
		host: map[mode]string{pasv: ipv4, epsv: ipv4, port: ipv4, eprt: ipv4},
		do: map[op]func(env) invocation{
			upload:         script("put " + quoted),
			download:       script("get " + quoted),
			resumeUpload:   script("restart 1048576\nput " + quoted),
			resumeDownload: script("reget " + quoted),
			asciiUpload:    script("ascii\nput " + quoted),
			asciiDownload:  script("ascii\nget " + quoted),
			list:           script("ls"),
			mkdir:          script(`mkdir "new dir"`),
			rename:         script(`rename "old name" "new name"`),
			remove:         script("delete " + quoted),
		},
		cannot: []gap{
			{securities: withTLS, why: "tnftp knows TLS for HTTP only"},
			{ops: []op{mirrorUpload, mirrorDownload}, why: "tnftp's mput and mget walk no directories"},
		},
	})
}
