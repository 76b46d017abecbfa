package clients

import "testing"

func TestWget(t *testing.T) {
	wget := func(e env, args ...string) invocation {
		all := []string{"--no-verbose", "--tries=1", "--timeout=20", "--no-proxy"}
		if e.active() {
			all = append(all, "--no-passive-ftp")
		}
		return invocation{args: append(all, args...)}
	}
	downloads := "wget only downloads"
	matrix(t, client{
		programs: []string{"wget"}, pkg: "wget",
		// It sends PASV and PORT for IPv4, EPSV and EPRT for IPv6.
		host: map[mode]string{pasv: ipv4, epsv: ipv6, port: ipv4, eprt: ipv6},
		do: map[op]func(env) invocation{
			download:       func(e env) invocation { return wget(e, at(e, fileName)) },
			resumeDownload: func(e env) invocation { return wget(e, "--continue", at(e, fileName)) },
			asciiDownload:  func(e env) invocation { return wget(e, "-O", fileName, at(e, fileName)+";type=a") },
			list:           func(e env) invocation { return wget(e, "-O", "-", e.url("")) },
		},
		cannot: map[string]string{
			string(upload): downloads, string(resumeUpload): downloads, string(asciiUpload): downloads,
			string(mkdir): downloads, string(rename): downloads, string(remove): downloads,
		},
	})
}
