package ftpd_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// breakOff begins an upload, waits until a part of it is stored, and resets the data connection.
func breakOff(t *testing.T, s *ftptest.Server, c *ftptest.Client, command, part string) {
	t.Helper()
	data := sendPart(t, s, c, command, part)
	_ = data.SetLinger(0)
	_ = data.Close()
	c.Talk("S: 426 *")
}

// sendPart begins an upload, and waits until a part of it is stored.
func sendPart(t *testing.T, s *ftptest.Server, c *ftptest.Client, command, part string) *net.TCPConn {
	t.Helper()
	data := c.Data()
	c.Must(command, "150")
	if _, err := io.WriteString(data, part); err != nil {
		t.Fatal(err)
	}
	stored := strings.ReplaceAll(part, "\r\n", "\n")
	ftptest.Eventually(t, "it is stored: "+command, func() bool {
		return slices.ContainsFunc(s.Files(t), func(name string) bool { return strings.HasSuffix(s.Read(t, name), stored) })
	})
	return data
}

// However an upload breaks off, the name must show the old file, and nothing else may be left.
func TestBrokenUploads(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	for _, rest := range []string{"0", "2", "5"} {
		for _, command := range []string{"STOR file", "APPE file"} {
			s.Write(t, "file", "12345")
			c.Must("REST "+rest, "350")
			breakOff(t, s, c, command, "more of it")
			if got, files := s.Read(t, "file"), s.Files(t); got != "12345" || len(files) != 1 {
				t.Errorf("REST %s, %s: it holds %q; there are %q", rest, command, got, files)
			}
		}
	}
	breakOff(t, s, c, "APPE new", "more of it")
	breakOff(t, s, c, "STOU", "more of it")
	if files := s.Files(t); !slices.Equal(files, []string{"file"}) {
		t.Errorf("left behind: %q", files)
	}
}

// With partialUploads: Keep, a client on a bad line must be able to resume.
func TestKeptUploads(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Storage.PartialUploads = config.PartialUploadsKeep })
	c := ftptest.Login(t, s.Addr, "alice")
	breakOff(t, s, c, "STOR file", "123")
	c.Must("SIZE file", "213 3")
	c.Must("REST 3", "350")
	breakOff(t, s, c, "STOR file", "45")
	c.Must("SIZE file", "213 5")
	breakOff(t, s, c, "APPE file", "67")
	c.Must("REST 4", "350")
	breakOff(t, s, c, "STOR file", "56") // as if the client were not sure which of the last octets had arrived
	c.Must("REST 6", "350")
	if reply := c.Put("STOR file", "789"); reply[:3] != "226" {
		t.Error(reply)
	}
	if got := s.Read(t, "file"); got != "123456789" {
		t.Errorf("it holds %q", got)
	}
	// ABOR and a client that leaves are breaks, too; an upload with fewer octets than announced is not.
	sendPart(t, s, c, "STOR aborted", "to be aborted")
	c.Talk(`
		C: ABOR
		S: 426 *
		S: 226 *
		C: ALLO 10
		S: 200 *`)
	if reply := c.Put("STOR short", "half"); reply[:3] != "226" {
		t.Error(reply)
	}
	// An upload that could not be resumed must not be kept.
	c.Must("TYPE A", "200")
	breakOff(t, s, c, "STOR text", "a line\r\n")
	breakOff(t, s, ftptest.Login(t, s.Addr, "dropper"), "STOR dropped", "a drop")
	gone := ftptest.Login(t, s.Addr, "alice")
	data := sendPart(t, s, gone, "STOR gone", "of one who went")
	_, _ = gone.Close(), data.Close()
	ftptest.Eventually(t, "its session ends", func() bool { return s.Status().Sessions == 2 })
	for name, want := range map[string]string{"aborted": "to be aborted", "short": "half", "gone": "of one who went", "text": "(absent)", "dropped": "(absent)"} {
		if got := s.Read(t, name); got != want {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
	}
	for _, name := range s.Files(t) {
		if strings.HasPrefix(name, ".ftpd-") {
			t.Errorf("left behind: %s", name)
		}
	}
	// It must be possible to turn this off while the server runs.
	if err := s.Edit(t, func(c *config.Config) { c.Storage.PartialUploads = config.PartialUploadsDiscard }); err != nil {
		t.Fatal(err)
	}
	c.Must("TYPE I", "200")
	breakOff(t, s, c, "STOR file", "1")
	if got := s.Read(t, "file"); got != "123456789" {
		t.Errorf("it holds %q", got)
	}
}

// If two clients append to one file, the second must be refused with 450, and the file must contain what was
// acknowledged.
func TestAppendTwice(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "file", "12345")
	first, second := ftptest.Login(t, s.Addr, "alice"), ftptest.Login(t, s.Addr, "alice")
	data := first.Data()
	first.Must("APPE file", "150")
	second.Data()
	second.Must("APPE file", "450 /file: ")
	second.Must("RNFR file", "350")
	second.Must("RNTO other", "450")
	_, _ = io.WriteString(data, "678")
	_ = data.Close()
	first.Talk("S: 226 *")
	if reply := second.Put("APPE file", "9"); reply[:3] != "226" {
		t.Error(reply)
	}
	if got := s.Read(t, "file"); got != "123456789" {
		t.Errorf("it holds %q", got)
	}
	// An append to a file that is replaced meanwhile must not be acknowledged.
	data = first.Data()
	first.Must("APPE file", "150")
	if reply := second.Put("STOR file", "new"); reply[:3] != "226" {
		t.Error(reply)
	}
	_, _ = io.WriteString(data, "lost")
	_ = data.Close()
	first.Talk("S: 450 *")
	if got, files := s.Read(t, "file"), s.Files(t); got != "new" || len(files) != 1 {
		t.Errorf("it holds %q; there are %q", got, files)
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	quota := func(bytes, files int64) func(*config.Config) {
		return func(c *config.Config) {
			c.Users[0].Quota = config.Quota{Bytes: bytes, Files: files}
			c.Anonymous = config.Anonymous{Enabled: true, Home: "anonymous", Access: config.AccessReadWrite, Quota: config.Quota{Bytes: 1}}
		}
	}
	root := t.TempDir()
	s := ftptest.Start(t, quota(10, 5))
	s.Write(t, "there", "12345")
	c := ftptest.Login(t, s.Addr, "alice")
	if reply := c.Put("STOR file", "123456"); reply[:3] != "552" {
		t.Error(reply)
	}
	if reply := c.Put("STOR file", "12345"); reply[:3] != "226" {
		t.Error(reply)
	}
	c.Must("ALLO 6", "200")
	c.Data()
	c.Must("STOR file", "552")
	for _, command := range []string{"APPE file", "STOR other", "STOU"} {
		if reply := c.Put(command, "1"); reply[:3] != "552" {
			t.Errorf("%s: %s", command, reply)
		}
	}
	if reply := c.Put("STOR file", "54321"); reply[:3] != "226" { // replaces as many bytes
		t.Error(reply)
	}
	c.Must("AVBL /", "213 0")
	c.Must("MKD 1", "257")
	c.Must("MKD 2", "257")
	c.Must("MKD 3", "257")
	c.Must("MKD 4", "552")
	c.Data()
	c.Must("STOR 4", "552")
	c.Must("DELE file", "250")
	c.Must("AVBL /", "213 5")
	if got := s.Read(t, "there"); got != "12345" || len(s.Files(t)) != 4 {
		t.Errorf("there holds %q; there are %q", got, s.Files(t))
	}
	// A changed limit must apply at once.
	if err := s.Edit(t, quota(6, 0)); err != nil {
		t.Fatal(err)
	}
	c.Must("AVBL /", "213 1")
	if reply := c.Put("STOR 4", "12"); reply[:3] != "552" {
		t.Error(reply)
	}
	anonymous := ftptest.Login(t, s.Addr, "ftp")
	if reply := anonymous.Put("STOR 2", "12"); reply[:3] != "552" {
		t.Error(reply)
	}
	if reply := anonymous.Put("STOR 1", "1"); reply[:3] != "226" {
		t.Error(reply)
	}
	// After a restart the usage must be the same.
	if err := os.CopyFS(root, os.DirFS(s.Root)); err != nil {
		t.Fatal(err)
	}
	again := ftptest.Start(t, quota(6, 0), func(c *config.Config) { c.Storage.Root = root })
	c = ftptest.Login(t, again.Addr, "alice")
	if reply := c.Put("STOR 4", "1"); reply[:3] != "552" {
		t.Errorf("after a restart: %s", reply)
	}
}

// If many sessions upload at once, the quota must never be exceeded, and refused uploads must leave nothing behind.
func TestQuotaOfManySessions(t *testing.T) {
	t.Parallel()
	const sessions, size, fit = 12, 300_000, 7
	s := ftptest.Start(t, func(c *config.Config) { c.Users[0].Quota.Bytes = fit*size + size/2 })
	var clients sync.WaitGroup
	var mu sync.Mutex
	stored := 0
	for i := range sessions {
		c := ftptest.Login(t, s.Addr, "alice")
		clients.Go(func() {
			data := c.Data()
			c.Must(fmt.Sprintf("STOR %d", i), "150")
			_, _ = io.WriteString(data, strings.Repeat("x", size)) // if the upload is refused, the connection may be reset
			_ = data.Close()
			mu.Lock()
			defer mu.Unlock()
			switch reply := c.Reply(); reply[:3] {
			case "226":
				stored++
			case "552":
			default:
				t.Error(reply)
			}
		})
	}
	clients.Wait()
	files := s.Files(t)
	if len(files) != stored || stored == 0 || stored > fit {
		t.Errorf("%d were acknowledged; there are %q", stored, files)
	}
	for _, name := range files {
		if info, err := os.Stat(filepath.Join(s.Root, name)); err != nil || info.Size() != size {
			t.Errorf("%s: %v (%v)", name, info, err)
		}
	}
}

// If a home vanishes during a session, and comes back as another directory, commands must fail until the next login.
func TestVanishedHome(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Users[0].Home = "home" })
	c := ftptest.Login(t, s.Addr, "alice")
	home := filepath.Join(s.Root, "home")
	if err := os.RemoveAll(home); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"MKD d", "DELE f", "SIZE f", "CWD d"} {
		c.Must(command, "550")
	}
	for _, command := range []string{"STOR f", "APPE f", "RETR f"} {
		c.Data()
		c.Must(command, "550 /f: no such file or directory.")
	}
	c.LoginAs("alice") // creates a new home
	if reply := c.Put("STOR f", "x"); reply[:3] != "226" {
		t.Error(reply)
	}
	if got := s.Read(t, "home/f"); got != "x" {
		t.Errorf("f holds %q", got)
	}
}

func TestDurabilityIsReloaded(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	for _, d := range []config.Durability{config.DurabilityNone, config.DurabilityFsync} {
		if err := s.Edit(t, func(c *config.Config) { c.Storage.Durability = d }); err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"STOR file", "APPE file"} {
			if reply := c.Put(command, string(d)); reply[:3] != "226" {
				t.Error(reply)
			}
		}
		if got := s.Read(t, "file"); got != string(d)+string(d) {
			t.Errorf("it holds %q", got)
		}
	}
}
