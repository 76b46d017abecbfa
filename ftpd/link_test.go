package ftpd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// linked makes a tree with every kind of link, and a directory next to it that only links lead to.
func linked(t *testing.T) *ftptest.Server {
	t.Helper()
	s := ftptest.Start(t)
	s.Write(t, "outside/keep", "precious")
	s.Write(t, "tree/file", "12345")
	for name, target := range map[string]string{
		"todir": "../outside", "tofile": "file", "self": ".", "broken": "nothing", "absolute": "/etc",
		"up": "../../../../../etc/passwd", "odd": "a; b", "chain": "up", "line": "a\r\nb",
	} {
		if err := os.Symlink(target, filepath.Join(s.Root, "tree", name)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// Listings must show links as links, and their targets if these are in the home.
func TestListingsTellLinks(t *testing.T) {
	t.Parallel()
	s := linked(t)
	c := ftptest.Login(t, s.Addr, "alice")
	shown := map[string]string{
		"todir": "todir -> ../outside", "tofile": "tofile -> file", "self": "self -> .", "broken": "broken -> nothing",
		"absolute": "absolute", "up": "up", "odd": "odd -> a; b", "chain": "chain", "line": "line -> a%0D%0Ab",
	}
	list := lines(t, c.Get("LIST tree"))
	if len(list) != len(shown)+1 {
		t.Fatalf("LIST: %q", list)
	}
	for name, want := range shown {
		found := false
		for _, line := range list {
			found = found || strings.HasPrefix(line, "lrwxrwxrwx ") && strings.HasSuffix(line, " "+want)
		}
		if !found {
			t.Errorf("LIST: no link %q in %q", want, list)
		}
		one := lines(t, c.Get("LIST -d tree/"+name))
		if len(one) != 1 || !strings.HasPrefix(one[0], "l") || !strings.HasSuffix(one[0], " tree/"+want) {
			t.Errorf("LIST -d %s: %q", name, one)
		}
	}
	c.Must("OPTS MLST type;size;perm;", "200")
	facts := []string{
		"type=OS.unix=slink:../outside;perm=cdeflm; todir",
		"type=OS.unix=slink:.;perm=cdeflm; self",
		"type=OS.unix=slink:file;size=5;perm=adfrw; tofile",
		"type=OS.unix=slink:nothing;size=7;perm=df; broken",
		"type=OS.unix=symlink;size=4;perm=df; absolute",
		"type=OS.unix=symlink;size=25;perm=df; up",
		"type=OS.unix=symlink;size=4;perm=df; odd",
		"type=OS.unix=symlink;size=2;perm=df; chain",
		"type=OS.unix=slink:a%0D%0Ab;size=4;perm=df; line",
	}
	mlsd := strings.Join(lines(t, c.Get("MLSD tree")), "\n") + "\n"
	for _, want := range facts {
		if !strings.Contains(mlsd, want+"\n") {
			t.Errorf("MLSD: no %q in\n%s", want, mlsd)
		}
		typ, name, _ := strings.Cut(want, " ")
		c.Talk("C: MLST tree/" + name + "\nS: 250-*\nS:  " + typ + " /tree/" + name + "\nS: 250 *")
	}
	c.Talk("C: STAT tree/self/todir/..\nS: 212-*\nS: ...\nS:  l* self -> .\nS: ...\nS: 212 *")
}

// The target of a link must be usable by the name of the link, and removing must affect only the link.
func TestLinksAreUsedAndRemoved(t *testing.T) {
	t.Parallel()
	s := linked(t)
	c := ftptest.Login(t, s.Addr, "alice")
	c.Must("CWD tree", "250")
	for command, want := range map[string]string{
		"RETR tofile": "12345", "RETR todir/keep": "precious", "NLST todir": "todir/keep\r\n", "NLST self/todir": "self/todir/keep\r\n",
	} {
		if got := c.Get(command); got != want {
			t.Errorf("%s: %q", command, got)
		}
	}
	if reply := c.Put("STOR todir/new", "new"); reply[:3] != "226" || s.Read(t, "outside/new") != "new" {
		t.Errorf("STOR through a link: %s", reply)
	}
	c.Talk(`
		C: CWD todir
		S: 250 *
		C: SIZE keep
		S: 213 8
		C: CDUP
		S: 250 *
		C: RMD todir
		S: 550 *DELE removes it*
		C: RMD self
		S: 550 *DELE removes it*
		C: RMD todir/
		S: 550 *
		C: RNFR todir
		S: 350 *
		C: RNTO moved
		S: 250 *
		C: DELE moved
		S: 250 *
		C: DELE self
		S: 250 *
		C: DELE absolute
		S: 250 *
		C: DELE broken
		S: 250 *
		C: RETR up
		S: 425 *`)
	for _, command := range []string{"RETR up", "RETR chain", "RETR absolute/passwd"} {
		c.Data()
		c.Must(command, "550")
	}
	if s.Read(t, "outside/keep") != "precious" || s.Read(t, "tree/file") != "12345" {
		t.Error("more than links was removed")
	}
}
