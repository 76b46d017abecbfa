package clients

import (
	"net/url"
	"testing"
)

// at is an URL with the name's blanks escaped.
func at(e env, name string) string { return e.url(url.PathEscape(name)) }

func TestCurl(t *testing.T) {
	curl := func(e env, args ...string) invocation {
		flags := map[mode][]string{
			pasv: {"--disable-epsv"},
			epsv: {"--ftp-pasv"},
			port: {"--ftp-port", "-", "--disable-eprt"},
			eprt: {"--ftp-port", "-"},
		}
		all := append([]string{"--silent", "--show-error", "--globoff"}, flags[e.mode]...)
		return invocation{args: append(all, args...)}
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
			list:           func(e env) invocation { return curl(e, e.url("")) },
			mkdir:          func(e env) invocation { return curl(e, "-Q", "MKD "+e.dir+"/new dir", e.url("")) },
			rename: func(e env) invocation {
				return curl(e, "-Q", "RNFR "+e.dir+"/old name", "-Q", "RNTO "+e.dir+"/new name", e.url(""))
			},
			remove: func(e env) invocation { return curl(e, "-Q", "DELE "+e.dir+"/"+fileName, e.url("")) },
		},
	})
}
