package ftpd_test

import (
	"net"
	"regexp"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

var (
	changing = regexp.MustCompile(`(duration|rate|peer)=\S+`)
	// Whether a transfer that was aborted at once has a port is a matter of chance; see TestAuditPort.
	omitted = regexp.MustCompile(`^time=\S+ | port=\S+`)
)

// audited returns the audit log without the values that vary.
func audited(s *ftptest.Server) string {
	var lines []string
	for _, line := range s.Log.Lines("msg=audit") {
		lines = append(lines, changing.ReplaceAllString(omitted.ReplaceAllString(strings.TrimSpace(line), ""), "$1=*"))
	}
	return strings.Join(lines, "\n")
}

func TestAudit(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Anonymous = config.Anonymous{Enabled: true, Home: "."} })
	c := ftptest.Dial(t, s.Addr)
	c.Talk(`
		S: 220 *
		C: USER alice
		S: 331 *
		C: PASS wrong
		S: 530 *`)
	c.LoginAs("alice")
	c.Must("MKD dir", "257")
	c.Must("MKD dir", "550")
	if reply := c.Put("STOR dir/a b", "hello"); reply[:3] != "226" {
		t.Fatal(reply)
	}
	if got := c.Get("RETR dir/a b"); got != "hello" {
		t.Fatal(got)
	}
	c.Get("LIST") // listings are not audited as transfers
	c.Talk(`
		C: RNFR dir/a b
		S: 350 *
		C: RNTO c
		S: 250 *
		C: MFMT 20200102030405 c
		S: 213 *
		C: SITE CHMOD 600 c
		S: 200 *
		C: DELE absent
		S: 550 *
		C: DELE c
		S: 250 *
		C: RMD dir
		S: 250 *`)
	_ = c.Data()
	c.Must("STOR cut", "150")
	c.Talk(`
		C: ABOR
		S: 426 *
		S: 226 *
		C: QUIT
		S: 221 *
		S: EOF`)
	a := ftptest.Login(t, s.Addr, "anonymous")
	a.Must("DELE x", "550")
	_ = a.Close()
	ftptest.Eventually(t, "all are gone", func() bool { return s.Status().Sessions == 0 })

	want := strings.TrimSpace(`
level=WARN msg=audit session=1 peer=* event=login result=failed tls=false code=530 user=alice failures=1 error="login incorrect"
level=INFO msg=audit session=1 peer=* user=alice event=login result=ok tls=false code=230 access=ReadWrite anonymous=false
level=INFO msg=audit session=1 peer=* user=alice event=mkdir result=ok tls=false code=257 path=/dir
level=WARN msg=audit session=1 peer=* user=alice event=mkdir result=failed tls=false code=550 path=/dir error="mkdir /dir: file exists"
level=INFO msg=audit session=1 peer=* user=alice event=upload result=ok tls=false code=226 verb=STOR type=I path="/dir/a b" bytes=5 duration=* rate=*
level=INFO msg=audit session=1 peer=* user=alice event=download result=ok tls=false code=226 verb=RETR type=I path="/dir/a b" bytes=5 duration=* rate=*
level=INFO msg=audit session=1 peer=* user=alice event=rename result=ok tls=false code=250 path=/c from="/dir/a b"
level=INFO msg=audit session=1 peer=* user=alice event=mtime result=ok tls=false code=213 path=/c modified=2020-01-02T03:04:05.000Z
level=INFO msg=audit session=1 peer=* user=alice event=chmod result=ok tls=false code=200 path=/c mode=600
level=WARN msg=audit session=1 peer=* user=alice event=delete result=failed tls=false code=550 path=/absent error="remove /absent: no such file or directory"
level=INFO msg=audit session=1 peer=* user=alice event=delete result=ok tls=false code=250 path=/c
level=INFO msg=audit session=1 peer=* user=alice event=rmdir result=ok tls=false code=250 path=/dir
level=WARN msg=audit session=1 peer=* user=alice event=upload result=failed tls=false code=426 verb=STOR type=I path=/cut bytes=0 duration=* rate=* error="aborted by ABOR"
level=INFO msg=audit session=1 peer=* user=alice event=logout result=ok tls=false why=quit duration=*
level=INFO msg=audit session=2 peer=* user=anonymous event=login result=ok tls=false code=230 access=ReadOnly anonymous=true
level=WARN msg=audit session=2 peer=* user=anonymous event=denied result=failed tls=false code=550 verb=DELE path=x
level=INFO msg=audit session=2 peer=* user=anonymous event=logout result=ok tls=false why=disconnected duration=*`)
	if got := audited(s); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The audit log must name the port that the client was told, so that a data connection can be traced to its pod.
func TestAuditPort(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	for _, verb := range []string{"STOR", "RETR"} {
		data := c.Data()
		_, port, err := net.SplitHostPort(data.RemoteAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		c.Must(verb+" file", "150")
		_ = data.Close()
		if reply := c.Reply(); !strings.HasPrefix(reply, "226") {
			t.Fatal(reply)
		}
		if len(s.Log.Lines("msg=audit", "verb="+verb, "port="+port+" ")) != 1 {
			t.Errorf("%s by port %s: got\n%s", verb, port, s.Log.String())
		}
	}
}

// COMB makes one file and removes others, so it must be audited as a change.
func TestAuditCombine(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "one", "1")
	s.Write(t, "two", "2")
	c := ftptest.Login(t, s.Addr, "alice")
	c.Must(`COMB "both" "one" "two"`, "250")
	c.Must(`COMB "both" "absent"`, "550")
	if len(s.Log.Lines("event=combine", "result=ok", "path=/both", `from="/one /two"`, "code=250")) != 1 ||
		len(s.Log.Lines("event=combine", "result=failed", "path=/both", "from=/absent", "code=550")) != 1 {
		t.Errorf("got\n%s", audited(s))
	}
}

// No name or command from a client may show a password in the log, or control a terminal that shows
// the log.
func TestAuditIsSafe(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Dial(t, s.Addr)
	c.Talk("S: 220 *")
	c.Must("hunter2-is-my-password", "500")
	c.Must("PASShunter2", "500")
	c.Must("USER \x1b[2J\u009b31m\u202eroot\x07", "331")
	c.Must("PASS hunter2", "530")
	c.LoginAs("alice")
	c.Must("DELE \u202egnp.exe", "550")
	log := s.Log.String()
	if strings.Contains(strings.ToLower(log), "hunter2") {
		t.Errorf("a password is in the log:\n%s", log)
	}
	if strings.ContainsAny(log, "\x1b\x07\u009b\u202e") {
		t.Errorf("control characters are in the log:\n%q", log)
	}
	if len(s.Log.Lines("event=delete", `\u202egnp.exe`)) != 1 {
		t.Errorf("the name can't be read:\n%s", log)
	}
}
