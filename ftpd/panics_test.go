package ftpd_test

import (
	"io"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// panickyBackend is a Backend whose homes are panicky.
type panickyBackend struct {
	storage.Backend
	mended *atomic.Bool
}

func (b panickyBackend) Home(home string, create bool) (storage.FS, error) {
	view, err := b.Backend.Home(home, create)
	if err != nil {
		return nil, err
	}
	return panicky{view, b.mended}, nil
}

// panicky is an FS with bugs: names say where it panics, until it is mended.
type panicky struct {
	storage.FS
	mended *atomic.Bool
}

func (f panicky) Stat(name string) (fs.FileInfo, error) {
	if strings.HasPrefix(name, "/stat") && !f.mended.Load() {
		panic("stat")
	}
	return f.FS.Stat(name)
}

func (f panicky) Open(name string) (storage.File, error) {
	file, err := f.FS.Open(name)
	if strings.HasPrefix(name, "/read") {
		return panickyFile{file}, err
	}
	return file, err
}

func (f panicky) Create(name string, o storage.CreateOptions) (storage.Upload, error) {
	up, err := f.FS.Create(name, o)
	if err != nil || f.mended.Load() {
		return up, err
	}
	return panickyUpload{up, name}, nil
}

type panickyFile struct{ storage.File }

func (panickyFile) Read([]byte) (int, error) { panic("read") }

type panickyUpload struct {
	storage.Upload
	name string
}

func (u panickyUpload) Writer() io.Writer {
	if strings.HasPrefix(u.name, "/write") {
		return panickyWriter{}
	}
	return u.Upload.Writer()
}

func (u panickyUpload) Commit() error {
	if strings.HasPrefix(u.name, "/commit") {
		panic("commit")
	}
	return u.Upload.Commit()
}

type panickyWriter struct{}

func (panickyWriter) Write([]byte) (int, error) { panic("write") }

// panics is an Observer that counts panics, and can panic itself.
type panics struct {
	observe.Observer
	n      atomic.Int64
	logins atomic.Bool // whether a login panics
}

func (p *panics) Panicked() { p.n.Add(1) }

func (p *panics) Login(observe.LoginResult) {
	if p.logins.Load() {
		panic("login")
	}
}

// A panic in a session or its transfer must end that session with 421, and no other; what it held must be given back.
func TestPanicEndsItsSessionOnly(t *testing.T) {
	t.Parallel()
	seen := &panics{Observer: ftpd.Unobserved}
	var mended atomic.Bool
	s := ftptest.StartWith(t, ftpd.Options{Observer: seen, Storage: func(b storage.Backend) storage.Backend { return panickyBackend{b, &mended} }}, func(c *config.Config) {
		c.Storage.PartialUploads = config.PartialUploadsKeep
		c.Users[0].Quota.Bytes = 1000
	})
	for _, name := range []string{"stat", "read", "other"} {
		s.Write(t, name, "content")
	}
	before := s.Files(t)

	bystander := ftptest.Login(t, s.Addr, "alice")
	data := bystander.Data()
	bystander.Must("STOR bystander", "150")

	for name, fault := range map[string]func(*ftptest.Client) string{
		"in a command": func(c *ftptest.Client) string { return c.Do("SIZE stat") },
		"in a command, a transfer is agreed upon": func(c *ftptest.Client) string {
			c.Data()
			return c.Do("SIZE stat")
		},
		"in a download": func(c *ftptest.Client) string {
			data := c.Data()
			c.Must("RETR read", "150")
			if got, _ := io.ReadAll(data); len(got) > 0 {
				t.Errorf("got %q", got)
			}
			return c.Reply()
		},
		"in an upload":        func(c *ftptest.Client) string { return c.Put("STOR write", "something") },
		"in a resumed upload": func(c *ftptest.Client) string { return c.Put("APPE write", "something") },
		"in a commit":         func(c *ftptest.Client) string { return c.Put("STOR commit", "something") },
		"in a checksum":       func(c *ftptest.Client) string { return c.Do("XMD5 read") },
		"in a command that waited for a transfer": func(c *ftptest.Client) string {
			data := c.Data()
			c.Must("STOR slow", "150")
			c.Send("SIZE stat\r\n")
			_ = data.Close()
			if got := c.Reply(); !strings.HasPrefix(got, "226") {
				t.Errorf("got %q", got)
			}
			c2 := ftptest.Login(t, s.Addr, "alice")
			c2.Must("DELE slow", "250")
			_ = c2.Close()
			return c.Reply()
		},
		"in another login": func(c *ftptest.Client) string {
			c.Must("USER alice", "331")
			seen.logins.Store(true)
			defer seen.logins.Store(false)
			return c.Do("PASS " + ftptest.Password)
		},
	} {
		c := ftptest.Login(t, s.Addr, "alice")
		n := seen.n.Load()
		if got := fault(c); !strings.HasPrefix(got, "421 Internal error") {
			t.Errorf("%s: got %q", name, got)
		}
		if line, err := c.Line(); err == nil {
			t.Errorf("%s: the session goes on: %q", name, line)
		}
		if got := seen.n.Load() - n; got != 1 {
			t.Errorf("%s: %d panics were counted", name, got)
		}
	}
	ftptest.Eventually(t, "the sessions have ended", func() bool { return s.Status().Sessions == 1 })
	if n := s.Reservations(); n != 0 {
		t.Errorf("%d passive ports are still reserved", n)
	}
	if st := s.Status(); st.Transfers != 1 {
		t.Errorf("%d transfers are counted", st.Transfers)
	}
	if len(s.Log.Lines("level=ERROR", "panic: ", "stack=", "panicky")) < 5 {
		t.Error("the stacks were not logged")
	}

	if _, err := io.WriteString(data, "all of it"); err != nil {
		t.Error(err)
	}
	_ = data.Close()
	if got := bystander.Reply(); !strings.HasPrefix(got, "226") {
		t.Errorf("the transfer of somebody else: %q", got)
	}
	if got := s.Read(t, "bystander"); got != "all of it" {
		t.Errorf("stored %q", got)
	}
	bystander.Must("DELE bystander", "250")
	if after := s.Files(t); strings.Join(after, " ") != strings.Join(before, " ") {
		t.Errorf("left behind: %q, before %q", after, before)
	}
	ftptest.Eventually(t, "the quota holds what is there", func() bool {
		q := s.Quotas()[0]
		return q.Counted && q.UsedBytes == 3*int64(len("content"))
	})
	// No lock and no reservation may be left.
	if got := ftptest.Login(t, s.Addr, "alice").Put("STOR other", strings.Repeat("x", 900)); !strings.HasPrefix(got, "226") {
		t.Errorf("the quota's last bytes: %q", got)
	}
	mended.Store(true)
	c := ftptest.Login(t, s.Addr, "alice")
	for _, verb := range []string{"STOR", "APPE"} {
		for _, name := range []string{"write", "commit"} {
			if got := c.Put(verb+" "+name, "x"); !strings.HasPrefix(got, "226") {
				t.Errorf("%s %s: %q", verb, name, got)
			}
		}
	}
}
