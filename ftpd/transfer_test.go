package ftpd_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

func TestStorAndRetr(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	rnd := rand.NewChaCha8([32]byte{1})
	for _, size := range []int{0, 1, 1000, 4 << 20, 9<<20 + 1} {
		content := make([]byte, size)
		_, _ = rnd.Read(content)
		if reply := c.Put("STOR file", string(content)); reply != "226 Transfer complete." {
			t.Fatal(reply)
		}
		if got := s.Read(t, "file"); got != string(content) {
			t.Fatalf("%d bytes were stored as %d others", size, len(got))
		}
		if got := c.Get("RETR file"); got != string(content) {
			t.Fatalf("%d bytes came back as %d others", size, len(got))
		}
		c.Must("SIZE file", fmt.Sprintf("213 %d", size))
	}
	if files := s.Files(t); len(files) != 1 {
		t.Errorf("left behind: %q", files)
	}
	c.Talk(`
		C: RETR file
		S: 425 *
		C: RETR
		S: 501 *`)
	upload := s.Log.Lines("msg=audit", "event=upload", "path=/file", "user=alice", "bytes=9437185", "result=ok", "code=226")
	download := s.Log.Lines("msg=audit", "event=download", "path=/file", "bytes=9437185")
	if len(upload) != 1 || len(download) != 1 {
		t.Errorf("logged: %q, %q", upload, download)
	}
}

func TestRefusedTransfers(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "dir/file", "x")
	c := ftptest.Login(t, s.Addr, "alice")
	for command, code := range map[string]string{
		"RETR nothing":                     "550",
		"RETR dir":                         "550",
		"RETR dir/file/x":                  "550",
		"STOR dir":                         "550",
		"STOR no/such/dir":                 "550",
		"APPE dir":                         "550",
		"STOR a\x00b":                      "553",
		"RETR a\x00b":                      "553",
		"STOR " + strings.Repeat("x", 300): "553",
		"LIST nothing":                     "550",
		"NLST nothing":                     "550",
		"MLSD nothing":                     "550",
		"MLSD dir/file":                    "501",
	} {
		data := c.Data()
		c.Must(command, code)
		if _, err := data.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: the data connection stayed open", command)
		}
		c.Must(command, "425") // and the next transfer needs another PASV
	}
	if files := s.Files(t); len(files) != 1 {
		t.Errorf("left behind: %q", files)
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "file", "0123456789")
	c := ftptest.Login(t, s.Addr, "alice")
	c.Must("REST 4", "350")
	if got := c.Get("RETR file"); got != "456789" {
		t.Errorf("REST 4: %q", got)
	}
	if got := c.Get("RETR file"); got != "0123456789" {
		t.Errorf("REST holds for one transfer only: %q", got)
	}
	c.Must("REST 10", "350")
	if got := c.Get("RETR file"); got != "" {
		t.Errorf("REST at the end: %q", got)
	}
	c.Must("REST 4", "350")
	c.Must("REST 0", "350")
	if got := c.Get("RETR file"); got != "0123456789" {
		t.Errorf("REST 0: %q", got)
	}
	for _, transfer := range []string{"RETR file", "STOR file", "APPE file"} {
		c.Must("REST 11", "350")
		c.Data()
		c.Must(transfer, "554")
	}
	if got := c.Get("RETR file"); got != "0123456789" {
		t.Errorf("REST survived a refused transfer: %q", got)
	}
	c.Must("REST 6", "350")
	if reply := c.Put("STOR file", "abcdef"); reply[:3] != "226" {
		t.Error(reply)
	}
	if got := s.Read(t, "file"); got != "012345abcdef" {
		t.Errorf("REST 6 and STOR: %q", got)
	}
	c.Must("REST 2", "350")
	if reply := c.Put("APPE file", "XYZ"); reply[:3] != "226" {
		t.Error(reply)
	}
	if got := s.Read(t, "file"); got != "01XYZ" {
		t.Errorf("REST 2 and APPE: %q", got)
	}
	c.Talk(`
		C: REST -1
		S: 501 *
		C: REST x
		S: 501 *
		C: REST 99999999999999999999
		S: 501 *
		C: REST
		S: 501 *
		C: REST 3
		S: 350 *
		C: TYPE A
		S: 200 *`)
	c.Data()
	c.Must("RETR file", "554")
}

func TestAppe(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	for _, part := range []string{"one ", "two ", "three"} {
		if reply := c.Put("APPE file", part); reply[:3] != "226" {
			t.Fatal(reply)
		}
	}
	if got := s.Read(t, "file"); got != "one two three" {
		t.Errorf("got %q", got)
	}
}

func TestStou(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "taken", "old")
	c := ftptest.Login(t, s.Addr, "alice")
	for command, prefix := range map[string]string{"STOU": "/ftp.", "STOU taken": "/taken.", "STOU free": "/free"} {
		data := c.Data()
		reply := c.Do(command)
		name, ok := strings.CutPrefix(reply, "150 FILE: ")
		if !ok || !strings.HasPrefix(name, prefix) {
			t.Fatalf("%s: %q", command, reply)
		}
		_, _ = io.WriteString(data, command)
		_ = data.Close()
		c.Talk(`S: 226 *` + name)
		if got := s.Read(t, name); got != command {
			t.Errorf("%s holds %q", name, got)
		}
	}
	if got := s.Read(t, "taken"); got != "old" {
		t.Errorf("STOU overwrote: %q", got)
	}
}

func TestASCII(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	c.Must("TYPE A", "200")
	text := strings.Repeat("a line\r\n", 20000)
	if reply := c.Put("STOR text", text); reply[:3] != "226" {
		t.Fatal(reply)
	}
	if got := s.Read(t, "text"); got != strings.ReplaceAll(text, "\r\n", "\n") {
		t.Errorf("stored %d bytes of text", len(got))
	}
	if got := c.Get("RETR text"); got != text {
		t.Errorf("got back %d bytes of text", len(got))
	}
	if reply := c.Put("APPE text", "last\r"); reply[:3] != "226" {
		t.Fatal(reply)
	}
	if got := s.Read(t, "text"); !strings.HasSuffix(got, "a line\nlast\r") {
		t.Errorf("ends in %q", got[len(got)-20:])
	}
	c.Must("SIZE text", "550")
}

// ALLO must reserve space without marking an end: an upload that brings less is complete. Uploads that can't fit must
// be refused before any data arrive, even if only two of them together do not fit.
func TestAllo(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) {
		limited := ftptest.User("limited", "limited", config.AccessReadWrite)
		limited.Quota.Bytes = 10
		c.Users = append(c.Users, limited)
	})
	c := ftptest.Login(t, s.Addr, "alice")
	c.Must("ALLO 10", "200")
	if reply := c.Put("STOR file", "12345"); reply[:3] != "226" || s.Read(t, "file") != "12345" {
		t.Error(reply)
	}
	c.Must("ALLO 999999999999999", "452")
	if reply := c.Put("STOR file", "1234"); reply[:3] != "226" {
		t.Error("an ALLO that was refused holds: ", reply)
	}
	one, two := ftptest.Login(t, s.Addr, "limited"), ftptest.Login(t, s.Addr, "limited")
	one.Must("ALLO 11", "552")
	one.Must("ALLO 6", "200")
	data := one.Data()
	one.Must("STOR 1", "150")
	two.Must("ALLO 5", "200")
	two.Data()
	two.Must("STOR 2", "552")
	two.Must("ALLO 4", "200")
	if reply := two.Put("STOR 2", "1234"); reply[:3] != "226" {
		t.Error(reply)
	}
	_ = data.Close()
	one.Talk("S: 226 *")
	two.Must("ALLO 6", "200")
	if reply := two.Put("STOR 3", "123456"); reply[:3] != "226" { // the rest of the reservation is free again
		t.Error(reply)
	}
	c.Must("ALLO 5 R 80", "200")
	if reply := c.Put("STOR file", "123456"); reply[:3] != "226" {
		t.Error(reply)
	}
	if reply := c.Put("STOR file", "1"); reply[:3] != "226" {
		t.Error("ALLO holds for one transfer: ", reply)
	}
	for _, bad := range []string{"ALLO", "ALLO x", "ALLO -1", "ALLO 1 R", "ALLO 1 R x", "ALLO 1 2"} {
		c.Must(bad, "501")
	}
}

// An upload that is reset must leave nothing behind, and leave the old file unchanged.
func TestUploadReset(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "file", "old")
	c := ftptest.Login(t, s.Addr, "alice")
	data := c.Data()
	c.Must("STOR file", "150")
	if _, err := data.Write(bytes.Repeat([]byte("x"), 1<<20)); err != nil {
		t.Fatal(err)
	}
	_ = data.SetLinger(0)
	_ = data.Close()
	c.Talk(`S: 426 *`)
	if got := s.Read(t, "file"); got != "old" {
		t.Errorf("file holds %d bytes", len(got))
	}
	if files := s.Files(t); len(files) != 1 {
		t.Errorf("left behind: %q", files)
	}
}

// A client that dies closes both connections in an orderly way: its upload must not count as complete.
func TestUploadClientGone(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	for range 20 {
		c := ftptest.Login(t, s.Addr, "alice")
		data := c.Data()
		c.Must("STOR file", "150")
		_, _ = io.WriteString(data, "half of")
		_ = c.Close() // a process that dies closes them in the order of their creation
		_ = data.Close()
	}
	ftptest.Eventually(t, "the sessions end", func() bool { return s.Status().Sessions == 0 })
	if files := s.Files(t); len(files) != 0 {
		t.Errorf("published: %q", files)
	}
}

// If a file shrinks while it is sent, the transfer must end with an error reply, never as a short success. The data
// connection must end in an orderly way, or the client might lose the reply.
func TestShrinkingFile(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "file", strings.Repeat("x", 64<<20))
	c := ftptest.Login(t, s.Addr, "alice")
	data := c.Data()
	c.Must("RETR file", "150")
	if _, err := io.ReadFull(data, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(s.Root, "file"), 1<<20); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, data); err != nil {
		t.Errorf("the data connection was reset after %d bytes: %v", n, err)
	}
	c.Talk(`S: 426 *shorter*`)
}

// Data that are appended to a file while it is sent must not be sent: the client was told the size.
func TestGrowingFile(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "file", "12345")
	c := ftptest.Login(t, s.Addr, "alice")
	addr := c.EpsvAddr()
	c.Must("RETR file", "150 Opening BINARY mode data connection for /file (5 bytes).")
	s.Write(t, "file", "1234567")
	if got, _ := io.ReadAll(c.DialData(addr)); string(got) != "12345" {
		t.Errorf("got %q", got)
	}
	c.Talk(`S: 226 *`)
}
