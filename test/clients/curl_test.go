package clients

import (
	"net/url"
	"os/exec"
	"strings"
	"testing"
)

// curl returns a call of curl, which is built with OpenSSL.
func curl(e env, args ...string) invocation {
	flags := map[mode][]string{
		pasv: {"--disable-epsv"},
		epsv: {"--ftp-pasv"},
		port: {"--ftp-port", "-", "--disable-eprt"},
		eprt: {"--ftp-port", "-"},
	}
	all := append([]string{"--silent", "--show-error", "--globoff"}, flags[e.mode]...)
	if e.secure() {
		all = append(all, "--ssl-reqd", "--cacert", e.ca)
	}
	return invocation{args: append(all, args...)}
}

// curlURL returns a file's URL, or with an empty name the directory's.
func curlURL(e env, name string) string {
	scheme := "ftp"
	if e.security == implicit {
		scheme = "ftps"
	}
	return e.url(scheme, url.PathEscape(name))
}

func TestCurl(t *testing.T) {
	at := curlURL
	cannot := []gap{{ops: []op{mirrorUpload, mirrorDownload}, why: "curl moves the files it is told and walks no directories"}}
	// This is the first version with connection filters; they were fixed in 8.0.
	if v, err := exec.Command("curl", "--version").Output(); err == nil && strings.HasPrefix(string(v), "curl 7.88.") {
		cannot = append(cannot, gap{modes: activeModes, securities: withTLS, why: "curl 7.88 sends clear text on data connections of active mode"})
	}
	matrix(t, client{
		programs: []string{"curl"}, pkg: "curl",
		host: map[mode]string{pasv: ipv4, epsv: ipv4, port: ipv4, eprt: ipv4},
		do: map[op]func(env) invocation{
			upload:         func(e env) invocation { return curl(e, "-T", fileName, at(e, fileName)) },
			download:       func(e env) invocation { return curl(e, "-o", fileName, at(e, fileName)) },
			resumeUpload:   func(e env) invocation { return curl(e, "-C", "-", "-T", fileName, at(e, fileName)) },
			resumeDownload: func(e env) invocation { return curl(e, "-C", "-", "-o", fileName, at(e, fileName)) },
			asciiUpload:    func(e env) invocation { return curl(e, "--use-ascii", "--crlf", "-T", fileName, at(e, fileName)) },
			asciiDownload:  func(e env) invocation { return curl(e, "-o", fileName, at(e, fileName)+";type=a") },
			list:           func(e env) invocation { return curl(e, at(e, "")) },
			mkdir:          func(e env) invocation { return curl(e, "-Q", "MKD "+e.dir+"/new dir", at(e, "")) },
			rename: func(e env) invocation {
				return curl(e, "-Q", "RNFR "+e.dir+"/old name", "-Q", "RNTO "+e.dir+"/new name", at(e, ""))
			},
			remove: func(e env) invocation { return curl(e, "-Q", "DELE "+e.dir+"/"+fileName, at(e, "")) },
		},
		cannot: cannot,
	})
}
