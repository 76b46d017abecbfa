package ftpd_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// Names on the disk that are not UTF-8, or that contain control characters, must be shown in a form that every client
// can read and send back. Clients must be able to fetch, rename and delete the files by that form and by the exact
// bytes. A directory with such names must not look empty, since it could not be removed.
func TestNamesThatAreNotUTF8(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	shown := map[string]string{
		"r\xe4ksm\xf6rg\xe5s.txt": "r%E4ksm%F6rg%E5s.txt",
		"a\nb":                    "a%0Ab",
		"\x1b[2J":                 "%1B[2J",
		"bell\x07":                "bell%07",
		"c1\u009b":                "c1%C2%9B",
		"iac\xff":                 "iac%FF",
		"100%41.txt":              "100%41.txt",
		"50%":                     "50%",
		"Grüße":                   "Grüße",
	}
	for name := range shown {
		s.Write(t, "d\xe4/"+name, name)
	}
	c := ftptest.Login(t, s.Addr, "alice")
	expect(t, "NLST", lines(t, c.Get("NLST")), "d%E4")
	c.Talk("C: CWD d\xe4\nS: 250 *\nC: PWD\nS: 257 \"/d%E4\" *\nC: CWD /\nS: 250 *\nC: CWD d%e4\nS: 250 *")
	var want []string
	for _, name := range shown {
		want = append(want, name)
	}
	slices.Sort(want)
	expect(t, "NLST d%E4", lines(t, c.Get("NLST")), want...)
	for _, command := range []string{"LIST", "MLSD", "LIST /d\xe4", "LIST /d%E4", "MLSD /d%E4/."} {
		listing := c.Get(command)
		for _, name := range want {
			if !strings.Contains(listing, " "+name+"\r\n") {
				t.Errorf("%s: no %q in %q", command, name, listing)
			}
		}
	}
	for name, sent := range shown {
		if got := c.Get("RETR " + sent); got != name {
			t.Errorf("RETR %s: %q", sent, got)
		}
		c.Must("SIZE /d%E4/"+sent, "213")
	}
	c.Talk(`
		C: MLST a%0Ab
		S: 250-*
		S:  type=file;*; /d%E4/a%0Ab
		S: 250 *
		C: RNFR r%E4ksm%F6rg%E5s.txt
		S: 350 *
		C: RNTO renamed
		S: 250 *
		C: RNFR renamed
		S: 350 *` +
		"\nC: RNTO r\xe4ksm\nS: 250 *\nC: SIZE r\xe4ksm\nS: 213 *\nC: DELE r\xe4ksm\nS: 250 *\n")
	c.Data()
	c.Must("STOR bell%07", "553") // it would be a new file
	if reply := c.Put("STOR Qualit\xe4t.pdf", "data"); reply[:3] != "226" || s.Read(t, "d\xe4/Qualit\xe4t.pdf") != "data" {
		t.Errorf("STOR of a name in Latin-1: %s", reply)
	}
	c.Must("DELE Qualit%E4t.pdf", "250")
	for name, sent := range shown {
		if !strings.HasPrefix(name, "r\xe4") {
			c.Must("DELE "+sent, "250")
		}
	}
	c.Must("CDUP", "250")
	c.Must("RMD d%E4", "250")
	// An escape must neither create nor reach a file that does not exist.
	c.Must("MKD new%0Aline", `257 "/new%0Aline"`)
	if _, err := os.Stat(filepath.Join(s.Root, "new%0Aline")); err != nil {
		t.Error(err)
	}
	c.Must("CWD %2e%2e%2fetc", "550")
	c.Must("SIZE "+strings.Repeat("%E4/", 1000)+"x", "550")
}

// A server with a charset must serve clients that know nothing else, while clients that send OPTS UTF8 ON get UTF-8.
// Names on the disk must be in UTF-8, whichever client made them.
func TestCharset(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, func(c *config.Config) { c.Charset = config.CharsetLatin1 })
	s.Write(t, "日本", "x")
	s.Write(t, "left\xe9", "left by a program that wrote Latin-1")
	device := ftptest.Login(t, s.Addr, "alice")
	if reply := device.Put("STOR Qualit\xe4t.pdf", "data"); reply[:3] != "226" || s.Read(t, "Qualität.pdf") != "data" {
		t.Fatalf("STOR: %s, %q", reply, s.Files(t))
	}
	const street = "Stra\xdfe \xff\xff" // Telnet's IAC is doubled
	device.Must("MKD "+street, `257 "/`+street+`"`)
	device.Must("CWD "+street, "250")
	device.Must("PWD", `257 "/`+street+`"`)
	device.Must("CDUP", "250")
	expect(t, "NLST", lines(t, device.Get("NLST")),
		"%E6%97%A5%E6%9C%AC", "Qualit\xe4t.pdf", "Stra\xdfe \xff", "left\xe9")
	for sent, want := range map[string]string{
		"Qualit\xe4t.pdf": "data", "Qualität.pdf": "data", "%E6%97%A5%E6%9C%AC": "x", "left\xe9": "left by a program that wrote Latin-1",
	} {
		if got := device.Get("RETR " + sent); got != want {
			t.Errorf("RETR %q: %q", sent, got)
		}
	}
	modern := ftptest.Login(t, s.Addr, "alice")
	modern.Must("OPTS UTF8 ON", "200 Names are in UTF-8.")
	expect(t, "NLST", lines(t, modern.Get("NLST")), "Qualität.pdf", "Straße ÿ", "left%E9", "日本")
	modern.Must("CWD Straße ÿ", "250 Directory changed to /Straße ÿ")
	modern.Must("OPTS UTF8 OFF", "200 Names are in latin1.")
	modern.Must("PWD", `257 "/`+street+`"`)
	modern.Must("REIN", "220")
	device.Must("DELE Qualit\xe4t.pdf", "250")
	device.Must("DELE left\xe9", "250")
	device.Must("RMD "+street, "250")

	utf8 := ftptest.Login(t, ftptest.Start(t).Addr, "alice")
	utf8.Must("OPTS UTF8 OFF", "504")
	utf8.Must("OPTS UTF8 ON", "200")
}

// Direction marks occur in names in Hebrew and Arabic, and in names copied from programs, so they must be allowed.
// Characters that change the direction of text must not be. Neither may reach a log unescaped.
func TestMarksOfDirection(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	for _, name := range []string{"\u200ephoto 2023-01-01.jpg", "קובץ\u200f (1).txt", "\u061cملف", "\U0001f468\u200d\U0001f469.txt", "a\u202fb.png", "cafe\u0301.txt"} {
		if reply := c.Put("STOR "+name, "x"); reply[:3] != "226" || s.Read(t, name) != "x" {
			t.Errorf("STOR %q: %s", name, reply)
		}
		c.Must("MKD d"+name, "257")
		c.Must("RNFR "+name, "350")
		c.Must("RNTO d"+name+"/"+name, "250")
		if got := c.Get("NLST d" + name); got != "d"+name+"/"+name+"\r\n" {
			t.Errorf("NLST: %q", got)
		}
	}
	for _, r := range "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028" {
		c.Data()
		c.Must("STOR a"+string(r)+"gpj.exe", "553")
		c.Must("MKD "+string(r), "553")
	}
	if strings.ContainsAny(s.Log.String(), "\u200e\u200f\u061c\u202e") {
		t.Error("the log holds characters that no terminal shows")
	}
}
