package clients

import (
	"fmt"
	"strings"
	"testing"
)

// pythonOps are the operations as lines of Python, where f is the client and name the file's name.
var pythonOps = map[op]string{
	upload:         `f.storbinary("STOR " + name, open(name, "rb"))`,
	download:       `f.retrbinary("RETR " + name, open(name, "wb").write)`,
	resumeUpload:   "o = open(name, 'rb')\nf.voidcmd('TYPE I')\nn = f.size(name)\no.seek(n)\nf.storbinary('STOR ' + name, o, rest=n)",
	resumeDownload: `f.retrbinary("RETR " + name, open(name, "ab").write, rest=os.path.getsize(name))`,
	asciiUpload:    `f.storlines("STOR " + name, open(name, "rb"))`,
	asciiDownload:  "o = open(name, 'w')\nf.retrlines('RETR ' + name, lambda l: o.write(l + '\\n'))\no.close()",
	mirrorUpload: `
for dir, _, files in os.walk("tree"):
    f.mkd(dir)
    for file in files:
        path = os.path.join(dir, file)
        f.storbinary("STOR " + path, open(path, "rb"))`,
	mirrorDownload: `
def mirror(dir):
    os.mkdir(dir)
    for entry, facts in list(f.mlsd(dir)):
        path = os.path.join(dir, entry)
        if facts["type"] == "dir":
            mirror(path)
        elif facts["type"] == "file":
            f.retrbinary("RETR " + path, open(path, "wb").write)
mirror("tree")`,
	list:   "f.dir()\nprint(f.nlst())\nprint(sorted(f.mlsd()))",
	mkdir:  `assert f.mkd("new dir") == f.pwd() + "/new dir"`,
	rename: `f.rename("old name", "new name")`,
	remove: `f.delete(name)`,
}

// reusing is ftplib's client with two additions: data connections that resume the control connection's session, and
// implicit TLS.
const reusing = `
class Reusing(ftplib.FTP_TLS):
    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        data = self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session)
        assert data.session_reused
        return data, size

class Implicit(Reusing):
    def connect(self, host, port, timeout):
        self.host, self.port, self.timeout = host, port, timeout
        conn = socket.create_connection((host, port), timeout)
        self.af = conn.family
        self.sock = self.context.wrap_socket(conn, server_hostname=host)
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
`

// python returns a call of Python's ftplib, logged in and in the operation's directory. construct are the lines that
// create the client f, and lines the further ones.
func python(e env, construct, lines string) invocation {
	truth := map[bool]string{false: "False", true: "True"}
	script := []string{
		"import ftplib, os, socket, ssl",
		reusing,
		fmt.Sprintf("name = %q", fileName),
		"context = ssl.create_default_context(cafile=None)",
	}
	if e.secure() {
		script[3] = fmt.Sprintf("context = ssl.create_default_context(cafile=%q)", e.ca)
	}
	script = append(script,
		construct,
		fmt.Sprintf("f.connect(%q, %s, timeout=20)", e.host, e.port),
		`f.login("alice", "secret")`)
	if e.secure() {
		script = append(script, "f.prot_p()")
	}
	script = append(script,
		"f.set_pasv("+truth[!e.active()]+")",
		fmt.Sprintf("f.cwd(%q)", e.dir),
		lines,
		"f.quit()", "")
	return invocation{args: []string{"-"}, stdin: strings.Join(script, "\n")}
}

// ftplib returns a client with the given constructor for each security.
func ftplib(constructors map[security]string) client {
	c := client{
		programs: []string{"python3"}, pkg: "python3",
		// It sends PASV and PORT for IPv4, EPSV and EPRT for IPv6.
		host: map[mode]string{pasv: ipv4, epsv: ipv6, port: ipv4, eprt: ipv6},
		do:   map[op]func(env) invocation{},
	}
	for o, lines := range pythonOps {
		c.do[o] = func(e env) invocation { return python(e, constructors[e.security], lines) }
	}
	return c
}

// TestFtplib tests Python's own client, unmodified.
func TestFtplib(t *testing.T) {
	c := ftplib(map[security]string{
		plain:    `f = ftplib.FTP(encoding="utf-8")`,
		explicit: `f = ftplib.FTP_TLS(context=context, encoding="utf-8")`,
	})
	c.noReuse = "ftplib makes a session of its own for each data connection (TestOpenSSLReuse has a subclass that does not)"
	c.cannot = []gap{{securities: []security{implicit}, why: "ftplib knows AUTH TLS only (TestOpenSSLReuse has a subclass that knows more)"}}
	matrix(t, c)
}

// TestOpenSSLReuse tests OpenSSL by a few lines of Python, with a daemon on which every data connection must resume
// the control connection's session.
func TestOpenSSLReuse(t *testing.T) {
	t.Parallel()
	for python, version := range map[string]string{"TLSv1_2": "TLS 1.2", "TLSv1_3": "TLS 1.3"} {
		t.Run(version, func(t *testing.T) {
			limit := fmt.Sprintf("context.minimum_version = context.maximum_version = ssl.TLSVersion.%s; f = ", python)
			c := ftplib(map[security]string{
				explicit: limit + `Reusing(context=context, encoding="utf-8")`,
				implicit: limit + `Implicit(context=context, encoding="utf-8")`,
			})
			c.version = version
			c.cannot = []gap{{securities: []security{plain}, why: "without TLS it is what TestFtplib tries"}}
			matrix(t, c)
		})
	}
}
