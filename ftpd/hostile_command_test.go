package ftpd_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest/authority"
)

// Patterns that were made to be slow, or deep, must be harmless.
func TestHostileGlobs(t *testing.T) {
	s := besiege(t)
	for i := range 50 {
		s.Write(t, "alice/"+strings.Repeat("a", 200)+fmt.Sprint(i), "")
	}
	s.withstands(t, func(t *testing.T) {
		c := s.attacker(t)
		for _, pattern := range []string{
			strings.Repeat("a*", 100) + "b",
			strings.Repeat("*a", 120) + "b",
			strings.Repeat("?*", 120) + "b",
			strings.Repeat("[a-z]*", 40) + "b",
			strings.Repeat("\\a*", 80) + "b",
		} {
			for _, verb := range []string{"NLST ", "LIST "} {
				if got := c.Get(verb + pattern); got != "" {
					t.Errorf("%s%.20s: %q", verb, pattern, got)
				}
			}
			c.Send("STAT " + pattern + "\r\n")
			if reply := c.Reply(); reply[0] != '2' && reply[0] != '5' {
				t.Errorf("STAT %.20s: %s", pattern, reply)
			}
		}
		for _, pattern := range []string{
			strings.Repeat("*/", 200) + "*", "[", "{" + strings.Repeat("a,", 1000) + "}/*", strings.Repeat("*a", 2000),
		} {
			c.Data()
			if reply := c.Do("NLST " + pattern); reply[:3] != "550" && reply[:3] != "553" {
				t.Errorf("NLST %.20s: %s", pattern, reply)
			}
		}
		s.unharmed()
	})
}

// Flags must not make a listing leave the home or walk the whole tree, or have any other effect.
func TestHostileFlags(t *testing.T) {
	s := besiege(t)
	s.Write(t, "alice/dir/deep/file", "")
	s.withstands(t, func(t *testing.T) {
		c := s.attacker(t)
		for _, flags := range []string{"-R", "-laR", "-lR --", strings.Repeat("-l ", 1000), "-" + strings.Repeat("R", 3000), "-I ;id", "-w 99999999"} {
			for _, where := range []string{"", " /", " ../../.."} {
				data := c.Data()
				if reply := c.Do("LIST " + flags + where); reply[:3] != "150" {
					if reply[:3] != "550" && reply[:3] != "553" {
						t.Errorf("LIST %.20s%s: %s", flags, where, reply)
					}
					continue
				}
				got, _ := io.ReadAll(data)
				c.Talk("S: 226 *")
				if strings.Contains(string(got), "deep") || strings.Contains(string(got), "bystander") {
					t.Errorf("LIST %.20s%s: %q", flags, where, got)
				}
				if reply := c.Do("STAT " + flags + where); reply[0] != '2' {
					t.Errorf("STAT %.20s%s: %s", flags, where, reply)
				}
			}
		}
		s.unharmed()
	})
}

// Names with characters that could end a line, a string or a Telnet command must be harmless in every command.
func TestHostileNames(t *testing.T) {
	s := besiege(t)
	s.Write(t, "alice/mine", "x")
	s.withstands(t, func(t *testing.T) {
		c := s.attacker(t)
		for _, name := range []string{"a\x00", "a\x00/../mine", "a\rDELE mine", "\rb", "a\xff\xff", "a\xff\xffb", "\x1b]0;x\a", "a\u009b2J", strings.Repeat("a/", 2000)} {
			for _, verb := range []string{
				"CWD", "RMD", "MKD", "XMKD", "DELE", "RNFR", "SIZE", "MDTM", "MLST", "STAT", "HASH", "XCRC", "MFMT 20260101000000",
				"SITE CHMOD 600", "AVBL",
			} {
				if reply := c.Do(verb + " " + name); reply[:3] != "553" && reply[:3] != "550" {
					t.Errorf("%s %.20q: %s", verb, name, reply)
				}
			}
			c.Must("RNFR mine", "350")
			c.Must("RNTO "+name, "55")
			for _, verb := range []string{"STOR", "APPE", "STOU", "RETR", "LIST", "NLST", "MLSD"} {
				c.Data()
				c.Must(verb+" "+name, "55")
			}
		}
		// LF alone also ends a line: what follows must be a command like any other, with its own reply.
		c.Send("SIZE mine\nMKD made\n")
		c.Talk(`
			S: 213 1
			S: 257 *`)
		// Telnet commands must not become part of a name.
		c.Send("SIZE mi\xff\xf1ne\r\n")
		c.Talk("S: 213 1")
		expect(t, "NLST", lines(t, c.Get("NLST")), "made", "mine")
		s.unharmed()
	})
	if log := s.Log.String(); strings.ContainsAny(log, "\x00\x1b\a\r") || !utf8.ValidString(log) {
		t.Error("the log holds control characters")
	}
}

// Offsets and ranges that are negative, beyond the end or too large for any number must be refused.
func TestHostileOffsets(t *testing.T) {
	s := besiege(t)
	s.Write(t, "alice/file", "0123456789")
	s.withstands(t, func(t *testing.T) {
		c := s.attacker(t)
		for _, command := range []string{
			"REST -1", "REST -9223372036854775808", "REST 9223372036854775808", "REST 18446744073709551615", "REST +1", "REST 0x1", "REST 1e3", "REST  ",
			"RANG -1 5", "RANG 5 -1", "RANG -5 -1", "RANG 5 4", "RANG 0 9223372036854775807", "RANG 0 18446744073709551615", "RANG 1", "RANG 1 2 3",
			"ALLO -1", "ALLO 9223372036854775808", "ALLO 1 R -1",
		} {
			c.Must(command, "50")
			if got := c.Get("RETR file"); got != "0123456789" {
				t.Errorf("after %s: %q", command, got)
			}
		}
		for _, command := range []string{"REST 9223372036854775807", "RANG 9223372036854775805 9223372036854775806", "RANG 10 11"} {
			for _, transfer := range []string{"RETR file", "STOR file", "APPE file"} {
				c.Must(command, "350")
				c.Data()
				c.Must(transfer, "5")
			}
		}
		if got := s.Read(t, "alice/file"); got != "0123456789" {
			t.Errorf("the file holds %q", got)
		}
		s.unharmed()
	})
}

// A rename must neither fetch nor place a file by way of links that lead out of the home.
func TestHostileRename(t *testing.T) {
	s := besiege(t)
	s.Write(t, "alice/mine", "mine")
	s.Write(t, "bystander/secret", "secret")
	elsewhere := t.TempDir() // may be another file system
	for name, to := range map[string]string{"out": "../bystander", "abs": filepath.Join(s.Root, "bystander"), "far": elsewhere, "file": "../bystander/secret"} {
		if err := os.Symlink(to, filepath.Join(s.Root, "alice", name)); err != nil {
			t.Fatal(err)
		}
	}
	s.withstands(t, func(t *testing.T) {
		defer func() { _ = os.Remove(filepath.Join(s.Root, "bystander/secret")) }()
		c := s.attacker(t)
		for _, dir := range []string{"out", "abs", "far"} {
			c.Must("RNFR mine", "350")
			c.Must("RNTO "+dir+"/planted", "550")
			c.Must("RNFR "+dir+"/secret", "550")
			c.Must("RNTO stolen", "503")
			c.Must("CWD "+dir, "550")
		}
		for _, name := range []string{"../bystander/planted", "/../bystander/planted"} {
			c.Must("RNFR mine", "350")
			c.Must("RNTO "+name, "550") // the name stays in the home, where there is no such directory
		}
		c.Data()
		c.Must("RETR file", "550")
		c.Data()
		c.Must("STOR file", "550")
		if s.Read(t, "alice/mine") != "mine" || s.Read(t, "bystander/secret") != "secret" || s.Read(t, "bystander/planted") != "(absent)" {
			t.Errorf("the home of the bystander: %q", s.Read(t, "bystander/planted"))
		}
		if entries, err := os.ReadDir(elsewhere); err != nil || len(entries) != 0 {
			t.Errorf("planted elsewhere: %v, %v", entries, err)
		}
	})
}

// Clear text that follows AUTH TLS must be discarded, in the same segment or in another.
func TestHostilePlaintextAfterAuth(t *testing.T) {
	a := authority.New(t)
	s := besiege(t, a.WithTLS())
	s.Write(t, "alice/file", "x")
	s.withstands(t, func(t *testing.T) {
		for _, early := range []string{
			"USER alice\r\nPASS secret\r\nDELE file\r\n", strings.Repeat("NOOP\r\n", 500), "USER alice\r\nPA", "\xff\xfd\x01\xff", "QUIT\r\n",
		} {
			c := ftptest.DialFrom(t, "127.0.0.2", s.Addr)
			c.Talk("S: 220 *")
			c.Send("AUTH TLS\r\n" + early)
			c.Talk("S: 234 *")
			c.StartTLS(a.Client())
			c.Talk(`
				C: NOOP
				S: 200 *
				C: PASS secret
				S: 503 *`)
			s.unharmed()
		}
		if s.Read(t, "alice/file") != "x" {
			t.Error("a command in clear text was executed")
		}
	})
}

// Commands that are sent while a download waits for its data connection must wait, and must not change what it sends.
// (In other servers, USER once replaced the name of the file.)
func TestHostileCommandSwap(t *testing.T) {
	s := besiege(t)
	s.Write(t, "alice/public", "public")
	s.Write(t, "alice/dir/public", "another")
	s.Write(t, "alice/other", "other")
	s.withstands(t, func(t *testing.T) {
		for _, swap := range []string{
			"USER ../../etc/passwd", "CWD dir", "TYPE A", "REST 3", "RANG 0 1", "RETR other", "RNFR other", "REIN", "MODE Z", "PASV", "DELE public", "STOR public",
		} {
			c := s.attacker(t)
			addr := c.EpsvAddr()
			c.Must("RETR public", "150")
			c.Send(swap + "\r\n")
			c.Send("NOOP\r\n") // waits behind it
			s.unharmed()
			if got, err := io.ReadAll(c.DialData(addr)); string(got) != "public" || err != nil {
				t.Errorf("%s: the client got %q, %v", swap, got, err)
			}
			c.Talk(`
				S: 226 *
				S: *
				S: 200 *`)
			s.Write(t, "alice/public", "public")
		}
	})
}
