package ftpd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// lines returns the lines of a listing, sorted, and checks that each ends with CR LF.
func lines(t *testing.T, listing string) []string {
	t.Helper()
	found := []string{}
	for line := range strings.Lines(listing) {
		text, ok := strings.CutSuffix(line, "\r\n")
		if !ok {
			t.Errorf("line without CR LF: %q", line)
		}
		found = append(found, text)
	}
	slices.Sort(found)
	return found
}

func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "a file", "12345")
	s.Write(t, "dir/.hidden", "x")
	s.Write(t, "dir/-odd", "x")
	old := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(s.Root, "a file"), old, old); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a file", filepath.Join(s.Root, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(s.Root, "out")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.Root, "bad\nname"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := ftptest.Login(t, s.Addr, "alice")
	c.Must("TYPE A", "200") // listings are text in any type
	got := lines(t, c.Get("LIST"))
	patterns := []string{
		`^-rw------- +1 ftp      ftp                 0 [A-Z][a-z][a-z] [ \d]\d \d\d:\d\d bad%0Aname$`,
		`^-rw-r----- +1 ftp      ftp                 5 Feb  3  2001 a file$`,
		`^drwxr-x--- +2 ftp      ftp +\d+ [A-Z][a-z][a-z] [ \d]\d \d\d:\d\d dir$`,
		`^lrwxrwxrwx +1 ftp      ftp                 5 Feb  3  2001 link -> a file$`,
		`^lrwxrwxrwx +1 ftp      ftp +\d+ [A-Z][a-z][a-z] [ \d]\d \d\d:\d\d out$`,
	}
	if len(got) != len(patterns) {
		t.Fatalf("LIST: %q", got)
	}
	for i, p := range patterns {
		if !regexp.MustCompile(p).MatchString(got[i]) {
			t.Errorf("LIST: %q does not match %s", got[i], p)
		}
	}
	for command, want := range map[string]string{
		"LIST -la":        strings.Join(got, "\r\n"),
		"LIST -R -a":      strings.Join(got, "\r\n"),
		"LIST .":          strings.Join(got, "\r\n"),
		"LIST a file":     got[1],
		"LIST -l a file":  got[1],
		"LIST -d dir":     got[2],
		"LIST a*":         got[1],
		"LIST [a-b] file": got[1],
		"LIST bad%0Aname": got[0],
		"LIST bad*":       got[0],
		"LIST no*":        "",
	} {
		expect(t, command, lines(t, c.Get(command)), lines(t, strings.TrimPrefix(want+"\r\n", "\r\n"))...)
	}
	if got := c.Get("LIST dir"); strings.Count(got, "\r\n") != 2 {
		t.Errorf("LIST dir: %q", got)
	}
}

func TestNlst(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	for _, name := range []string{"a.txt", "b.txt", "c.bin", "dir/d.txt", "dir/sub/e.txt", "[x]"} {
		s.Write(t, name, name)
	}
	c := ftptest.Login(t, s.Addr, "alice")
	for command, want := range map[string][]string{
		"NLST":           {"[x]", "a.txt", "b.txt", "c.bin", "dir"},
		"NLST -1a":       {"[x]", "a.txt", "b.txt", "c.bin", "dir"},
		"NLST .":         {"[x]", "a.txt", "b.txt", "c.bin", "dir"},
		"NLST *.txt":     {"a.txt", "b.txt"},
		"NLST ?.bin":     {"c.bin"},
		"NLST [x]":       {"[x]"}, // a name takes precedence over a pattern
		"NLST dir":       {"dir/d.txt", "dir/sub"},
		"NLST dir/":      {"dir/d.txt", "dir/sub"},
		"NLST /dir":      {"/dir/d.txt", "/dir/sub"},
		"NLST dir/*":     {"dir/d.txt", "dir/sub"},
		"NLST dir/sub":   {"dir/sub/e.txt"},
		"NLST /dir/*.t*": {"/dir/d.txt"},
		"NLST a.txt":     {"a.txt"},
		"NLST *.none":    {},
	} {
		got := lines(t, c.Get(command))
		expect(t, command, got, want...)
		for _, name := range got {
			if strings.HasSuffix(name, ".txt") {
				if content := c.Get("RETR " + name); content != strings.TrimPrefix(name, "/") {
					t.Errorf("%s: RETR %s gave %q", command, name, content)
				}
			}
		}
	}
	for _, command := range []string{"NLST d*/d.txt", "NLST none/*", "NLST a.txt/*", "NLST [", "LIST a.txt/x"} {
		c.Data()
		c.Must(command, "550")
	}
}

// A pattern that was made to be slow must not be.
func TestGlobBomb(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	for i := range 50 {
		s.Write(t, strings.Repeat("a", 200)+fmt.Sprint(i), "")
	}
	c := ftptest.Login(t, s.Addr, "alice")
	if got := c.Get("NLST " + strings.Repeat("a*", 100) + "b"); got != "" {
		t.Errorf("got %q", got)
	}
	c.Data()
	c.Must("NLST "+strings.Repeat("*/", 200)+"*", "550")
}

var fact = regexp.MustCompile(`unique=[0-9a-fg]+;`)

func TestMlsd(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "dir/file", "12345")
	if err := os.Mkdir(filepath.Join(s.Root, "dir/sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, name := range []string{"", "dir/file", "dir/sub", "dir"} {
		if err := os.Chtimes(filepath.Join(s.Root, name), when, when); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(s.Root, 0o755); err != nil { //nolint:gosec // it is shown in the listing
		t.Fatal(err)
	}
	c := ftptest.Login(t, s.Addr, "alice")
	got := lines(t, fact.ReplaceAllString(c.Get("MLSD dir"), ""))
	expect(t, "MLSD dir", got,
		"type=cdir;modify=20010203040506;perm=cdeflmp;UNIX.mode=0750; .",
		"type=dir;modify=20010203040506;perm=cdeflmp;UNIX.mode=0700; sub",
		"type=file;size=5;modify=20010203040506;perm=adfrw;UNIX.mode=0640; file",
		"type=pdir;modify=20010203040506;perm=cdeflmp;UNIX.mode=0755; ..")
	got = lines(t, fact.ReplaceAllString(c.Get("MLSD"), ""))
	expect(t, "MLSD", got,
		"type=cdir;modify=20010203040506;perm=cdeflmp;UNIX.mode=0755; .",
		"type=dir;modify=20010203040506;perm=cdeflmp;UNIX.mode=0750; dir")
	c.Must("OPTS MLST size;Modify;bogus;", "200 MLST OPTS size;modify;")
	expect(t, "MLSD dir with two facts", lines(t, c.Get("MLSD dir")),
		"modify=20010203040506; sub",
		"size=5;modify=20010203040506; file")
	c.Talk(`
		C: FEAT
		S: ...
		S:  MLST type;size*;modify*;perm;unique;UNIX.mode;
		S: ...
		S: 211 End
		C: MLST dir/file
		S: 250-Listing /dir/file
		S:  size=5;modify=20010203040506; /dir/file
		S: 250 End
		C: OPTS MLST
		S: 200 MLST OPTS
		C: MLST
		S: 250-*
		S:   /
		S: 250 End
		C: MLST nothing
		S: 550 *`)
}

func TestFactsCommands(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "a file", "12345")
	ftptest.Login(t, s.Addr, "alice").Talk(`
		C: SIZE a file
		S: 213 5
		C: SIZE nothing
		S: 550 *
		C: SIZE /
		S: 550 *
		C: MFMT 20010203040506 a file
		S: 213 Modify=20010203040506; /a file
		C: MDTM a file
		S: 213 20010203040506
		C: MDTM nothing
		S: 550 *
		C: MFMT 20010203040506
		S: 501 *
		C: MFMT yesterday a file
		S: 501 *
		C: MFMT 20010203040506 nothing
		S: 550 *
		C: SITE CHMOD 600 a file
		S: 200 *
		C: SITE chmod 4777 a file
		S: 501 *
		C: SITE CHMOD 600 nothing
		S: 550 *
		C: SITE CHMOD
		S: 501 *
		C: SITE EXEC rm
		S: 504 *
		C: MLST a file
		S: 250-*
		S:  type=file;size=5;modify=20010203040506;perm=adfrw;unique=*;UNIX.mode=0600; /a file
		S: 250 *
		C: TYPE A
		S: 200 *
		C: SIZE a file
		S: 550 *`)
}

func TestRights(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "file", "old")
	s.Write(t, "dir/x", "x")
	refused := func(user string, commands ...string) {
		c := ftptest.Login(t, s.Addr, user)
		for _, command := range commands {
			c.Data()
			if reply := c.Do(command); !strings.HasPrefix(reply, "550 Permission denied") {
				t.Errorf("%s, %s: %q", user, command, reply)
			}
		}
	}
	refused("reader", "STOR new", "APPE file", "STOU", "DELE file", "MKD new", "RMD dir", "RNFR file", "RNTO x",
		"MFMT 20200101000000 file", "SITE CHMOD 600 file")
	refused("dropper", "RETR file", "LIST", "NLST", "MLSD", "MLST file", "STAT file", "SIZE file", "MDTM file",
		"APPE file", "APPE new", "DELE file", "RMD dir", "RNFR file", "MFMT 20200101000000 file", "SITE CHMOD 600 file")

	reader := ftptest.Login(t, s.Addr, "reader")
	if got := reader.Get("RETR file"); got != "old" {
		t.Errorf("reader got %q", got)
	}
	reader.Must("CWD dir", "250")

	dropper := ftptest.Login(t, s.Addr, "dropper")
	dropper.Data()
	dropper.Must("STOR file", "550") // it would overwrite
	dropper.Must("REST 1", "350")
	dropper.Data()
	dropper.Must("STOR file", "550")
	dropper.Must("MKD box", "257")
	dropper.Must("CWD box", "250")
	for _, command := range []string{"STOR new", "STOU"} {
		if reply := dropper.Put(command, "new"); reply[:3] != "226" {
			t.Errorf("%s: %s", command, reply)
		}
	}
	if s.Read(t, "file") != "old" || s.Read(t, "box/new") != "new" {
		t.Error("the drop box holds something else")
	}

	// A change of rights must apply to the next command.
	c := ftptest.Login(t, s.Addr, "alice")
	c.Must("MKD one", "257")
	err := s.Edit(t, func(c *config.Config) { c.Users[0].Access = config.AccessReadOnly })
	if err != nil {
		t.Fatal(err)
	}
	c.Must("MKD two", "550")
}
