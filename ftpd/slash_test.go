package ftpd_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// A path that ends in a slash, or whose last element is a dot, names a directory: no command may affect a file by
// such a path.

func TestSlashNamesDirectory(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "f", "old")
	s.Write(t, "other", "other")
	s.Write(t, "d/x", "x")
	s.Write(t, "emptied/x", "x")
	for name, target := range map[string]string{"tofile": "f", "todir": "d"} {
		if err := os.Symlink(target, filepath.Join(s.Root, name)); err != nil {
			t.Fatal(err)
		}
	}
	c := ftptest.Login(t, s.Addr, "alice")
	for _, name := range []string{"f/", "f/.", "/f//", "./f/./", "tofile/"} {
		for _, command := range []string{
			"RETR ", "STOR ", "APPE ", "STOU ", "LIST ", "NLST ", "MLSD ", "MLST ", "STAT ", "SIZE ", "MDTM ", "DELE ", "RMD ", "RNFR ",
			"CWD ", "MKD ", "HASH ", "XCRC ", "AVBL ", "MFMT 20200101000000 ", "MFF Modify=20200101000000; ", "SITE CHMOD 600 ", "SITE UTIME 202001010000 ",
		} {
			c.Data()
			want := "550"
			if command == "MLSD " {
				want = "5" // 501 for a file
			}
			c.Must(command+name, want)
		}
		c.Must(`COMB "`+name+`" other`, "550")
		c.Must(`COMB new "`+name+`"`, "550")
		c.Must("RNFR other", "350")
		c.Must("RNTO "+name, "550")
	}
	// No file may be created, replaced or removed by the name of a directory, whether that exists or not.
	for _, name := range []string{"new/", "new/.", "d/", "d/.", "todir/", "d/..", "/"} {
		for _, command := range []string{"STOR ", "APPE ", "STOU ", "DELE ", "RETR ", "SIZE "} {
			c.Data()
			c.Must(command+name, "550")
		}
		c.Must("RNFR other", "350")
		c.Must("RNTO "+name, "550")
	}
	if s.Read(t, "f") != "old" || s.Read(t, "other") != "other" || s.Read(t, "d/x") != "x" {
		t.Error("a file has changed")
	}
	c.Talk(`
		C: MKD made/
		S: 257 "/made" *
		C: RNFR made/
		S: 350 *
		C: RNTO renamed/
		S: 250 *
		C: CWD renamed/
		S: 250 *
		C: CWD ../todir/
		S: 250 *
		C: CDUP
		S: 250 *
		C: RMD renamed/
		S: 250 *`)
	for command, want := range map[string]string{"NLST d/": "d/x\r\n", "NLST todir/": "todir/x\r\n", "NLST todir/.": "todir/./x\r\n"} {
		if got := c.Get(command); got != want {
			t.Errorf("%s: %q", command, got)
		}
	}
}
