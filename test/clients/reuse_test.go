package clients

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

const notResumed = "522 The TLS session of the control connection must be resumed on data connections."

// foreign is ftplib's client with data connections that resume the session of another control connection of the same
// user.
const foreign = `
class Foreign(ftplib.FTP_TLS):
    def ntransfercmd(self, cmd, rest=None):
        other = ftplib.FTP_TLS(context=self.context)
        other.connect(self.host, self.port, timeout=20)
        other.login("alice", "secret")
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        data = self.context.wrap_socket(conn, server_hostname=self.host, session=other.sock.session)
        other.quit()
        return data, size
`

// refused is a client that does not resume the control connection's session.
type refused struct {
	program string
	mode    mode
	ops     []op
	call    func(env, op) invocation
}

// pythonRefused returns a client whose script fails unless the server refuses it as required.
func pythonRefused(constructor, version string) refused {
	construct := fmt.Sprintf("%scontext.minimum_version = context.maximum_version = ssl.TLSVersion.%s\nf = %s(context=context, encoding='utf-8')",
		foreign, version, constructor)
	return refused{program: "python3", mode: pasv, ops: []op{upload, download}, call: func(e env, o op) invocation {
		return python(e, construct, fmt.Sprintf(`
f.voidcmd("TYPE I")
conn = f.transfercmd(%q + " " + name)
try:
    if %q == "STOR":
        conn.sendall(open(name, "rb").read())
    else:
        assert not conn.recv(1), "got something of the file"
except OSError as e:
    print(e)
conn.close()
try:
    raise SystemExit("not refused: " + f.getresp())
except ftplib.error_perm as e:
    print(e)
f.voidcmd("NOOP")`, scenarios[o].verb, scenarios[o].verb))
	}}
}

func curlRefused(options ...string) refused {
	return refused{program: "curl", mode: epsv, ops: []op{upload, download}, call: func(e env, o op) invocation {
		args := append([]string{"--verbose", curlURL(e, fileName)}, options...)
		if o == upload {
			return curl(e, append(args, "-T", fileName)...)
		}
		return curl(e, append(args, "-o", fileName)...)
	}}
}

// Where data connections must resume the control connection's session, clients that do not are refused, in both
// directions and in each version of TLS, and no part of the file becomes visible.
func TestWithoutReuse(t *testing.T) {
	t.Parallel()
	d := start(t, ipv4, true, config.SessionReuseRequire)
	for name, c := range map[string]refused{
		"ftplib-TLS-1.2":       pythonRefused("ftplib.FTP_TLS", "TLSv1_2"),
		"ftplib-TLS-1.3":       pythonRefused("ftplib.FTP_TLS", "TLSv1_3"),
		"foreign-TLS-1.2":      pythonRefused("Foreign", "TLSv1_2"),
		"foreign-TLS-1.3":      pythonRefused("Foreign", "TLSv1_3"),
		"curl-without-session": curlRefused("--no-sessionid"),
		// With TLS 1.2 curl asks OpenSSL for no tickets, and Go resumes by tickets only.
		"curl-TLS-1.2": curlRefused("--tls-max", "1.2"),
		"wget-without-resumption": {program: "wget", mode: pasv, ops: []op{download}, call: func(e env, _ op) invocation {
			return wget(e, url.PathEscape(fileName), "--ftps-resume-ssl=off", "--server-response")
		}},
	} {
		for _, o := range c.ops {
			t.Run(name+", "+string(o), func(t *testing.T) {
				e := env{daemon: d, mode: c.mode, security: explicit, port: d.port, ca: d.ca, local: t.TempDir(), dir: name + "-" + string(o)}
				c.try(t, e, o)
			})
		}
	}
}

func (c refused) try(t *testing.T, e env, o op) {
	if err := os.Mkdir(e.remote(""), 0o750); err != nil {
		t.Fatal(err)
	}
	scenarios[o].prepare(t, e)
	seen := len(e.log.String())
	out, err := e.run(t, c.program, c.call(e, o))
	if scripted := c.program == "python3"; (err == nil) != scripted {
		t.Errorf("%v\n%s", err, out)
	}
	// curl exits when the data connection breaks, without reading a reply.
	if !strings.Contains(out, notResumed) && c.program != "curl" {
		t.Errorf("the client said:\n%s", out)
	}
	log := audit(e.ended(t, seen), string(o))
	if len(log) != 1 || log[0].Result != "failed" || log[0].Code != 522 || !log[0].TLS {
		t.Errorf("in the audit log: %+v", log)
	}
	if o == upload && exists(e.remote(fileName)) {
		t.Error("the upload is there")
	}
}

// The same clients work where resumption is only preferred.
func TestWithoutReusePreferred(t *testing.T) {
	t.Parallel()
	d := start(t, ipv4, true, config.SessionReusePrefer)
	for name, options := range map[string][]string{
		"no-session": {"--no-sessionid"}, "TLS-1.2": {"--tls-max", "1.2"},
	} {
		t.Run(name, func(t *testing.T) {
			e := env{daemon: d, mode: epsv, security: explicit, port: d.port, ca: d.ca, local: t.TempDir(), dir: name}
			client{
				programs: []string{"curl"},
				do: map[op]func(env) invocation{upload: func(e env) invocation {
					return curl(e, append(options, "-T", fileName, curlURL(e, fileName))...)
				}},
			}.try(t, e, upload)
		})
	}
}
