package clients

import (
	"net/url"
	"testing"
)

// wget returns a call of wget, which is built with GnuTLS.
func wget(e env, name string, args ...string) invocation {
	all := []string{"--no-verbose", "--tries=1", "--timeout=20", "--no-proxy"}
	if e.active() {
		all = append(all, "--no-passive-ftp")
	}
	scheme := "ftp"
	if e.secure() {
		scheme = "ftps"
		all = append(all, "--ca-certificate="+e.ca)
	}
	if e.security == implicit {
		all = append(all, "--ftps-implicit")
	}
	return invocation{args: append(append(all, args...), e.url(scheme, name))}
}

func TestWget(t *testing.T) {
	name := url.PathEscape(fileName)
	// These are the options that --mirror stands for, without the one that leaves listings among the files.
	mirror := []string{"--recursive", "--level=inf", "--timestamping", "--no-host-directories", "--cut-dirs=1"}
	matrix(t, client{
		programs: []string{"wget"}, pkg: "wget",
		// It sends PASV and PORT for IPv4, EPSV and EPRT for IPv6.
		host: map[mode]string{pasv: ipv4, epsv: ipv6, port: ipv4, eprt: ipv6},
		do: map[op]func(env) invocation{
			download:       func(e env) invocation { return wget(e, name) },
			resumeDownload: func(e env) invocation { return wget(e, name, "--continue") },
			asciiDownload:  func(e env) invocation { return wget(e, name+";type=a", "-O", fileName) },
			mirrorDownload: func(e env) invocation { return wget(e, "tree/", mirror...) },
			list:           func(e env) invocation { return wget(e, "", "-O", "-") },
		},
		cannot: []gap{
			{ops: []op{upload, resumeUpload, asciiUpload, mirrorUpload, mkdir, rename, remove}, why: "wget only downloads"},
		},
	})
}
