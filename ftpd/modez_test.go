package ftpd_test

import (
	"bytes"
	"compress/zlib"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

// deflated returns what a client in MODE Z sends for a text.
func deflated(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// inflated returns the text that a server in MODE Z has sent.
func inflated(t *testing.T, data string) string {
	t.Helper()
	z, err := zlib.NewReader(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// MODE Z (draft-preston-ftpext-deflate) must work for every transfer and listing, in clear text and with TLS.
func TestModeZ(t *testing.T) {
	t.Parallel()
	a := authority.New(t)
	s := ftptest.Start(t, a.WithTLS())
	content := strings.Repeat("0123456789abcdef\n", 1<<16)
	for name, c := range map[string]*ftptest.Client{
		"clear text": ftptest.Login(t, s.Addr, "alice"),
		"TLS":        ftptest.LoginTLS(t, s.Addr, "alice", a.Client()),
	} {
		t.Run(name, func(t *testing.T) {
			c.Must("MODE z", "200")
			if reply := c.Put("STOR file", deflated(t, content)); reply[:3] != "226" {
				t.Fatal(reply)
			}
			if s.Read(t, "file") != content {
				t.Error("the upload differs")
			}
			got := c.Get("RETR file")
			if inflated(t, got) != content || len(got) > len(content)/10 {
				t.Errorf("the download differs, or has %d bytes", len(got))
			}
			c.Must("REST 1114102", "350")
			if got := inflated(t, c.Get("RETR file")); got != "89abcdef\n"+"" && got != content[1114102:] {
				t.Errorf("after REST: %q", got)
			}
			c.Must("REST 17", "350")
			if reply := c.Put("STOR file", deflated(t, "end")); reply[:3] != "226" || s.Read(t, "file") != content[:17]+"end" {
				t.Errorf("upload after REST: %q, %q", reply, s.Read(t, "file"))
			}
			if got := inflated(t, c.Get("MLSD")); !strings.Contains(got, "; file\r\n") {
				t.Errorf("MLSD: %q", got)
			}
			c.Must("TYPE A", "200")
			if got := inflated(t, c.Get("RETR file")); got != "0123456789abcdef\r\nend" {
				t.Errorf("ASCII: %q", got)
			}
			if reply := c.Put("STOR text", deflated(t, "a\r\nb\r\n")); reply[:3] != "226" || s.Read(t, "text") != "a\nb\n" {
				t.Errorf("ASCII upload: %q, %q", reply, s.Read(t, "text"))
			}
			c.Talk(`
				C: STAT
				S: ...
				S: *MODE: deflate
				S: ...
				S: 211 *
				C: MODE S
				S: 200 *
				C: TYPE I
				S: 200 *`)
			if got := c.Get("NLST"); got != "file\r\ntext\r\n" && got != "text\r\nfile\r\n" {
				t.Errorf("back in MODE S: %q", got)
			}
		})
	}
}

func TestOptsModeZ(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "file", strings.Repeat("abcdefgh", 1000)+strings.Repeat("hgfedcba", 1000))
	c := ftptest.Login(t, s.Addr, "alice")
	c.Talk(`
		C: OPTS MODE Z
		S: 200 MODE Z LEVEL set to 6.
		C: opts mode z level 9
		S: 200 MODE Z LEVEL set to 9.
		C: OPTS MODE Z LEVEL 1
		S: 200 MODE Z LEVEL set to 1.
		C: OPTS MODE Z LEVEL 0
		S: 501 *
		C: OPTS MODE Z LEVEL 10
		S: 501 *
		C: OPTS MODE Z LEVEL
		S: 501 *
		C: OPTS MODE Z ENGINE LZO
		S: 501 *
		C: OPTS MODE S
		S: 501 *
		C: OPTS MODE Z
		S: 200 MODE Z LEVEL set to 1.
		C: MODE Z
		S: 200 *`)
	if got := inflated(t, c.Get("RETR file")); len(got) != 16000 {
		t.Errorf("got %d bytes", len(got))
	}
	c.Talk(`
		C: REIN
		S: 220 *
		C: OPTS MODE Z
		S: 200 MODE Z LEVEL set to 6.`)
}

// Data that are not one complete zlib stream must never be stored.
func TestModeZDamaged(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	c.Must("MODE Z", "200")
	good := deflated(t, strings.Repeat("content", 100))
	wrongSum := good[:len(good)-1] + string(good[len(good)-1]^1)
	for name, data := range map[string]string{
		"nothing":         "",
		"not compressed":  "just some text",
		"cut short":       good[:len(good)/2],
		"without its sum": good[:len(good)-4],
		"with another":    wrongSum,
		"and more":        good + "x",
		"twice":           good + good,
	} {
		if reply := c.Put("STOR file", data); reply[:3] != "426" {
			t.Errorf("%s: %q", name, reply)
		}
	}
	if files := s.Files(t); len(files) != 0 {
		t.Errorf("stored: %q", files)
	}
}

// A few bytes that expand to very many must be abortable; an upload may bring less than was announced.
func TestModeZBomb(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	c.Must("MODE Z", "200")
	raw := c.Data()
	c.Must("STOR bomb", "150")
	sent := make(chan error, 1)
	go func() {
		z := zlib.NewWriter(raw)
		zeros := make([]byte, 1<<20)
		var err error
		for err == nil {
			_, err = z.Write(zeros)
		}
		sent <- err
	}()
	c.Send("ABOR\r\n")
	c.Talk(`
		S: 426 *
		S: 226 *`)
	if err := <-sent; err == nil {
		t.Error("the data connection was not closed")
	}
	if files := s.Files(t); len(files) != 0 {
		t.Errorf("left: %q", files)
	}
	c.Must("ALLO 100", "200")
	if reply := c.Put("STOR file", deflated(t, strings.Repeat("x", 99))); reply[:3] != "226" {
		t.Error(reply)
	}
	c.Must("ALLO 100", "200")
	if reply := c.Put("STOR file", deflated(t, strings.Repeat("x", 100))); reply[:3] != "226" {
		t.Error(reply)
	}
}

// ABOR must end a download in MODE Z whose client does not read.
func TestModeZStalled(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	random := make([]byte, 8<<20)
	state := uint32(1)
	for i := range random { // random data do not compress
		state = state*1664525 + 1013904223
		random[i] = byte(state >> 24)
	}
	s.Write(t, "big", string(random))
	c := ftptest.Login(t, s.Addr, "alice")
	c.Must("MODE Z", "200")
	var raw net.Conn = c.Data()
	c.Must("RETR big", "150")
	if _, err := io.ReadFull(raw, make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	c.Talk(`
		C: ABOR
		S: 426 *
		S: 226 *`)
	s.Write(t, "small", "content")
	if got := inflated(t, c.Get("RETR small")); got != "content" {
		t.Errorf("after ABOR: %q", got)
	}
}
