package clients

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Clients that remove or copy a tree with links must remove or copy the links and never follow them: neither out of
// the tree nor in circles.
func TestLinks(t *testing.T) {
	t.Parallel()
	tests := map[string]func(e env) (program string, in invocation){
		"lftp rm -r": func(e env) (string, invocation) {
			return "lftp", invocation{args: []string{"--norc", "-c", "set cmd:fail-exit yes; set net:max-retries 1; set net:timeout 20; " +
				"set ftp:ssl-allow no; open -u alice,secret -p " + e.port + " " + e.host + "; rm -r tree"}}
		},
		"lftp rm -r by MLSD": func(e env) (string, invocation) {
			return "lftp", invocation{args: []string{"--norc", "-c", "set cmd:fail-exit yes; set net:max-retries 1; set net:timeout 20; " +
				"set ftp:use-mlsd yes; set ftp:ssl-allow no; open -u alice,secret -p " + e.port + " " + e.host + "; rm -r tree"}}
		},
		"rclone purge": func(e env) (string, invocation) {
			e.mode, e.security, e.dir = pasv, plain, "tree"
			in := rclone(t, "").do[list](e)
			in.args[slices.Index(in.args, "lsf")] = "purge"
			return "rclone", in
		},
		"ftplib": func(e env) (string, invocation) {
			e.mode, e.security, e.dir = pasv, plain, "/"
			return "python3", python(e, `f = ftplib.FTP(encoding="utf-8")`, `
def remove(dir):
    for entry, facts in list(f.mlsd(dir)):
        if facts["type"] == "dir":
            remove(dir + "/" + entry)
        elif facts["type"] not in ("cdir", "pdir"):
            f.delete(dir + "/" + entry)
    f.rmd(dir)
remove("tree")`)
		},
	}
	for name, call := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := start(t, ipv4, false, config.SessionReusePrefer)
			e := env{daemon: d, port: d.port, local: t.TempDir()}
			write(t, filepath.Join(d.root, "outside", "keep"), []byte("precious"))
			write(t, filepath.Join(d.root, "tree", "sub", "file"), []byte("x"))
			for link, target := range map[string]string{
				"todir": "../outside", "tofile": "../outside/keep", "self": ".", "broken": "nothing", "absolute": filepath.Join(d.root, "outside"),
			} {
				if err := os.Symlink(target, filepath.Join(d.root, "tree", link)); err != nil {
					t.Fatal(err)
				}
			}
			program, in := call(e)
			out, err := e.run(t, program, in)
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			if _, err := os.Lstat(filepath.Join(d.root, "tree")); err == nil {
				t.Errorf("the tree is still there\n%s", out)
			}
			same(t, filepath.Join(d.root, "outside", "keep"), []byte("precious"))
		})
	}
}
