package clients

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// aria2Timeout is the time that aria2 waits for a reply that it has already read together with the one before.
const aria2Timeout = 10 * time.Second

// aria2 reads all available input and handles only the first reply in it; for the next one it waits until more input
// comes. With ftpd it must stall no more often than with vsftpd, whatever the size of the file.
//
// On a busy machine aria2 may stall even if each reply is sent by itself, with any server. So a few more stalls than
// with vsftpd are no failure: with a server that sends two replies at once it stalls nearly every time.
func TestAria2(t *testing.T) {
	if _, err := exec.LookPath("aria2c"); err != nil {
		t.Fatal("aria2c is not installed: apt-get install aria2")
	}
	d := start(t, ipv4, false, "")
	files := map[string][]byte{"f0": content[:1], "f1": content[:1<<10], "f2": content[:16<<10], "f3": content[:64<<10]}
	for name, content := range files {
		write(t, filepath.Join(d.root, name), content)
	}
	peer := vsftpd(t, files)
	const rounds = 4
	ours, theirs := 0, 0
	for range rounds {
		for name := range files {
			ours += stoodStill(t, "ftp://alice:secret@"+net.JoinHostPort(d.host, d.port)+"/"+name, files[name])
			if peer != "" {
				theirs += stoodStill(t, "ftp://"+peer+"/"+name, files[name])
			}
		}
	}
	t.Logf("aria2 stood still in %d of %d downloads, with vsftpd in %d", ours, rounds*len(files), theirs)
	if ours > theirs+rounds*len(files)/4 {
		t.Error("that is far more often")
	}
}

// stoodStill returns 1 if aria2 has waited for its timeout, and 0 otherwise.
func stoodStill(t *testing.T, url string, want []byte) int {
	t.Helper()
	e := env{local: t.TempDir()}
	began := time.Now()
	out, err := e.run(t, "aria2c", invocation{args: []string{
		"--quiet", fmt.Sprint("--timeout=", aria2Timeout.Seconds()), "--max-tries=1", "--out=got", url,
	}})
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	same(t, e.here("got"), want)
	if time.Since(began) < aria2Timeout {
		return 0
	}
	return 1
}

// vsftpd runs vsftpd with the files and anonymous access, and returns its address; "" if it can't run here.
func vsftpd(t *testing.T, files map[string][]byte) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Log("vsftpd runs as root only: nothing to compare with")
		return ""
	}
	dir, err := os.MkdirTemp("", "vsftpd-") //nolint:usetesting // t.TempDir is for root only
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	root, empty := filepath.Join(dir, "root"), filepath.Join(dir, "empty")
	for _, d := range []string{root, empty} {
		if err := os.Mkdir(d, 0o755); err != nil { //nolint:gosec // for the user ftp
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // for the user ftp
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(root, name), content, 0o644); err != nil { //nolint:gosec // for the user ftp
			t.Fatal(err)
		}
	}
	port := freePorts(t, ipv4, 1)[0]
	conf := filepath.Join(dir, "vsftpd.conf")
	write(t, conf, fmt.Appendf(nil, `background=NO
listen=YES
listen_address=%s
listen_port=%d
anonymous_enable=YES
local_enable=NO
anon_root=%s
secure_chroot_dir=%s
xferlog_enable=NO
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
`, ipv4, port, root, empty))
	cmd := exec.Command("vsftpd", conf) //nolint:gosec // the test's own
	log := &ftptest.Log{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: `make clients` installs vsftpd", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	address := net.JoinHostPort(ipv4, fmt.Sprint(port))
	ftptest.Eventually(t, "vsftpd serves", func() bool {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return false
		}
		_ = conn.Close()
		return true
	})
	return address
}
