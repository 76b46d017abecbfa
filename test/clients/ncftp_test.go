package clients

import "testing"

// NcFTP consists of several programs, each of which does some of the operations.
func TestNcftp(t *testing.T) {
	login := func(e env, more ...string) []string {
		mode := "-F"
		if e.active() {
			mode = "-E"
		}
		return append([]string{"-V", "-t", "20", "-r", "1", mode, "-u", "alice", "-p", "secret", "-P", e.port}, more...)
	}
	put := func(name string, more ...string) func(env) invocation {
		return func(e env) invocation {
			return invocation{program: "ncftpput", args: append(login(e, more...), e.host, e.dir, name)}
		}
	}
	get := func(name string, more ...string) func(env) invocation {
		return func(e env) invocation {
			return invocation{program: "ncftpget", args: append(login(e, more...), e.host, ".", e.dir+"/"+name)}
		}
	}
	script := func(s string) func(env) invocation {
		return func(e env) invocation {
			setup := "set passive on\n"
			if e.active() {
				setup = "set passive off\n"
			}
			return invocation{
				args:  []string{"-u", "alice", "-p", "secret", "-P", e.port, e.host},
				stdin: setup + "cd " + e.dir + "\n" + s + "\nquit\n",
			}
		}
	}
	matrix(t, client{
		programs: []string{"ncftp", "ncftpput", "ncftpget"}, pkg: "ncftp",
		host: map[mode]string{pasv: ipv4, port: ipv4},
		do: map[op]func(env) invocation{
			upload:   put(fileName),
			download: get(fileName),
			// Without -s it sends the file from its beginning in spite of its own REST.
			resumeUpload:   put(fileName, "-z", "-s"),
			resumeDownload: get(fileName, "-z"),
			asciiUpload:    put(fileName, "-a"),
			asciiDownload:  get(fileName, "-a"),
			mirrorUpload:   put("tree", "-R"),
			mirrorDownload: get("tree", "-R"),
			list:           script("ls -l"),
			mkdir:          script(`mkdir "new dir"`),
			rename:         script(`rename "old name" "new name"`),
			remove:         script(`rm "` + fileName + `"`),
		},
		cannot: []gap{
			{modes: []mode{epsv, eprt}, why: "NcFTP 3.2 knows IPv4 with PASV and PORT only"},
			{securities: withTLS, why: "NcFTP 3.2 knows no TLS"},
		},
	})
}
