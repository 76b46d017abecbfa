package clients

import (
	"fmt"
	"testing"
)

// Python's own client, through a few lines of Python for each operation.
func TestFtplib(t *testing.T) {
	python := func(e env, script string) invocation {
		head := fmt.Sprintf(`
import ftplib, os
name = %q
f = ftplib.FTP(encoding="utf-8")
f.connect(%q, %s, timeout=20)
f.login("alice", "secret")
f.set_pasv(%s)
f.cwd(%q)
`, fileName, e.host, e.port, map[bool]string{true: "False", false: "True"}[e.active()], e.dir)
		return invocation{args: []string{"-c", head + script + "\nf.quit()\n"}}
	}
	script := func(s string) func(env) invocation { return func(e env) invocation { return python(e, s) } }
	matrix(t, client{
		programs: []string{"python3"}, pkg: "python3",
		// It sends PASV and PORT for IPv4, EPSV and EPRT for IPv6.
		host: map[mode]string{pasv: ipv4, epsv: ipv6, port: ipv4, eprt: ipv6},
		do: map[op]func(env) invocation{
			upload:         script(`f.storbinary("STOR " + name, open(name, "rb"))`),
			download:       script(`f.retrbinary("RETR " + name, open(name, "wb").write)`),
			resumeUpload:   script("o = open(name, 'rb')\nf.voidcmd('TYPE I')\nn = f.size(name)\no.seek(n)\nf.storbinary('STOR ' + name, o, rest=n)"),
			resumeDownload: script(`f.retrbinary("RETR " + name, open(name, "ab").write, rest=os.path.getsize(name))`),
			asciiUpload:    script(`f.storlines("STOR " + name, open(name, "rb"))`),
			asciiDownload:  script("o = open(name, 'w')\nf.retrlines('RETR ' + name, lambda l: o.write(l + '\\n'))\no.close()"),
			list:           script("f.dir()\nprint(f.nlst())\nprint(sorted(f.mlsd()))"),
			mkdir:          script(`assert f.mkd("new dir") == f.pwd() + "/new dir"`),
			rename:         script(`f.rename("old name", "new name")`),
			remove:         script(`f.delete(name)`),
		},
	})
}
