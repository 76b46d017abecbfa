package clients

import (
	"bytes"
	"html"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// op is something that a user does.
type op string

const (
	upload         op = "upload"
	download       op = "download"
	resumeUpload   op = "resume upload"
	resumeDownload op = "resume download"
	asciiUpload    op = "ASCII upload"
	asciiDownload  op = "ASCII download"
	list           op = "list"
	mkdir          op = "mkdir"
	rename         op = "rename"
	remove         op = "delete"
)

// client is a program and what it can do.
type client struct {
	programs []string // the first is the one that most calls use
	pkg      string   // the Debian package
	// host is the address to use for a mode: many clients use EPSV and EPRT for IPv6 only.
	// A mode that is absent is in cannot.
	host map[mode]string
	// do calls the client for an operation; one that is absent is in cannot.
	do map[op]func(e env) invocation
	// cannot holds the reason for every mode and operation that is absent.
	cannot map[string]string
}

const (
	ipv4 = "127.0.0.1"
	ipv6 = "::1"
)

// scenario prepares an operation and checks what came of it. Names hold a blank, as names do.
type scenario struct {
	prepare func(t *testing.T, e env)
	check   func(t *testing.T, e env, out string)
	// verb must be among the commands that the client sent.
	verb string
	// ascii: the transfer must have been in TYPE A.
	ascii bool
	// data: makes a data connection, so the mode's verb must be there too.
	data bool
}

const fileName = "a file.bin"

var (
	content  = random(1, 3<<20+17)
	half     = content[:1<<20]
	unixText = bytes.Repeat([]byte("a line of text\n"), 5000)
)

var scenarios = map[op]scenario{
	upload: {
		prepare: func(t *testing.T, e env) { write(t, e.here(fileName), content) },
		check:   func(t *testing.T, e env, _ string) { same(t, e.remote(fileName), content) },
		verb:    "STOR", data: true,
	},
	download: {
		prepare: func(t *testing.T, e env) { write(t, e.remote(fileName), content) },
		check:   func(t *testing.T, e env, _ string) { same(t, e.here(fileName), content) },
		verb:    "RETR", data: true,
	},
	resumeUpload: {
		prepare: func(t *testing.T, e env) {
			write(t, e.here(fileName), content)
			write(t, e.remote(fileName), half)
		},
		check: func(t *testing.T, e env, _ string) { same(t, e.remote(fileName), content) },
		data:  true,
	},
	resumeDownload: {
		prepare: func(t *testing.T, e env) {
			write(t, e.remote(fileName), content)
			write(t, e.here(fileName), half)
		},
		check: func(t *testing.T, e env, _ string) { same(t, e.here(fileName), content) },
		verb:  "REST", data: true,
	},
	asciiUpload: {
		prepare: func(t *testing.T, e env) { write(t, e.here(fileName), unixText) },
		check:   func(t *testing.T, e env, _ string) { same(t, e.remote(fileName), unixText) },
		ascii:   true, data: true,
	},
	asciiDownload: {
		prepare: func(t *testing.T, e env) { write(t, e.remote(fileName), unixText) },
		check: func(t *testing.T, e env, _ string) {
			got, err := os.ReadFile(e.here(fileName))
			if err != nil {
				t.Error(err)
			}
			// Some clients keep the network's line ends.
			if !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), unixText) {
				t.Errorf("got %d bytes of text", len(got))
			}
		},
		ascii: true, data: true,
	},
	list: {
		prepare: func(t *testing.T, e env) {
			write(t, e.remote(fileName), half)
			write(t, e.remote("Grüße"), nil)
			write(t, e.remote("sub/x"), nil)
		},
		check: func(t *testing.T, _ env, out string) {
			out = html.UnescapeString(out) // wget makes a page of it
			for _, name := range []string{fileName, "Grüße", "sub"} {
				if !strings.Contains(out, name) {
					t.Errorf("%q is not in the listing:\n%s", name, out)
				}
			}
		},
		data: true,
	},
	mkdir: {
		prepare: func(*testing.T, env) {},
		check: func(t *testing.T, e env, _ string) {
			if !exists(e.remote("new dir")) {
				t.Error("the directory was not made")
			}
		},
	},
	rename: {
		prepare: func(t *testing.T, e env) { write(t, e.remote("old name"), half) },
		check: func(t *testing.T, e env, _ string) {
			same(t, e.remote("new name"), half)
			if exists(e.remote("old name")) {
				t.Error("the old name is still there")
			}
		},
		verb: "RNTO",
	},
	remove: {
		prepare: func(t *testing.T, e env) { write(t, e.remote(fileName), half) },
		check: func(t *testing.T, e env, _ string) {
			if exists(e.remote(fileName)) {
				t.Error("the file is still there")
			}
		},
		verb: "DELE",
	},
}

var ops = []op{upload, download, resumeUpload, resumeDownload, asciiUpload, asciiDownload, list, mkdir, rename, remove}

// matrix tries every operation in every mode, and prints what the client can't do.
func matrix(t *testing.T, c client) {
	t.Helper()
	t.Parallel()
	for _, p := range c.programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Fatalf("%s is not installed: apt-get install %s", p, c.pkg)
		}
	}
	for _, m := range modes {
		host, ok := c.host[m]
		if !ok {
			c.say(t, string(m))
			continue
		}
		t.Run(string(m), func(t *testing.T) {
			d := start(t, host)
			for _, o := range ops {
				call, ok := c.do[o]
				if !ok {
					c.say(t, string(o))
					continue
				}
				t.Run(string(o), func(t *testing.T) { try(t, d, m, o, c.programs[0], call) })
			}
		})
	}
}

// say prints why the client can't do something; a reason must be there.
func (c client) say(t *testing.T, what string) {
	t.Helper()
	reason, ok := c.cannot[what]
	if !ok {
		t.Errorf("%s, %s: neither done nor explained", c.programs[0], what)
		return
	}
	t.Logf("not possible: %s, %s: %s", c.programs[0], what, reason)
}

func try(t *testing.T, d *daemon, m mode, o op, program string, call func(env) invocation) {
	s := scenarios[o]
	e := env{daemon: d, mode: m, dir: strings.ReplaceAll(string(o), " ", "-"), local: t.TempDir()}
	if err := os.Mkdir(e.remote(""), 0o750); err != nil {
		t.Fatal(err)
	}
	s.prepare(t, e)
	seen := len(d.log.String())
	out := e.run(t, program, call(e))
	s.check(t, e, out)
	ftptest.Eventually(t, "the client's sessions end", func() bool {
		log := d.log.from(seen)
		begun := strings.Count(log, "msg=connected")
		return begun > 0 && begun == strings.Count(log, "msg=disconnected")
	})
	log := d.log.from(seen)
	if s.ascii && !strings.Contains(log, " type=A ") {
		t.Error("the transfer was not in TYPE A")
	}
	if s.verb != "" && !strings.Contains(log, "verb="+s.verb) {
		t.Errorf("the client sent no %s", s.verb)
	}
	for _, other := range modes {
		if sent := strings.Contains(log, "verb="+string(other)+" "); sent && other != m || !sent && other == m && s.data {
			t.Errorf("%s: sent=%v, in mode %s", other, sent, m)
		}
	}
	if t.Failed() {
		t.Logf("the client said:\n%s\nthe daemon's log:\n%s", out, log)
	}
}
