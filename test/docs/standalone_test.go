package docs

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// namespaced runs a script as root in its own namespaces: the network is a loopback device, /srv and /run are empty,
// and processes that the script starts end with it. The working directory is the root of the repository.
func namespaced(t *testing.T, script string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: the standalone daemon's commands; they need root, for namespaces in which /srv and port 2121 are free")
	}
	const prepare = "ip link set lo up; mount -t tmpfs none /srv; mount -t tmpfs none /run\n"
	command := exec.Command("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "bash", "-euo", "pipefail", "-c", prepare+script)
	command.Dir = "../.."
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, script, out)
	}
	return string(out)
}

// from returns n commands of the page, starting with the first that contains the text.
func from(t *testing.T, page, text string, n int) []string {
	t.Helper()
	commands, err := Commands("../..", page)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(commands, func(c Command) bool { return !c.Inline && strings.Contains(c.Text, text) })
	if i < 0 || len(commands) < i+n {
		t.Fatalf("%s does not have %d commands from %q on", page, n, text)
	}
	var texts []string
	for _, c := range commands[i : i+n] {
		texts = append(texts, c.Text)
	}
	return texts
}

// The README's commands for the daemon without Kubernetes start a server that stores and returns files.
func TestStandaloneDaemon(t *testing.T) {
	steps := from(t, "README.md", "go build", 3)
	out := namespaced(t, strings.Join(steps[:2], "\n")+"\n"+steps[2]+` >/run/log 2>&1 &
		echo content >/run/file
		curl --silent --show-error --retry 100 --retry-connrefused --retry-delay 1 -T /run/file ftp://alice:secret@127.0.0.1:2121/
		cmp /run/file /srv/ftp/file
		curl --silent --show-error ftp://alice:secret@127.0.0.1:2121/file`)
	if !strings.HasSuffix(out, "content\n") {
		t.Errorf("got %q", out)
	}
}

// The management API answers on the socket with the command of its page.
func TestManagementSocket(t *testing.T) {
	build := from(t, "README.md", "go build", 2)
	steps := from(t, "docs/admin.md", "--api unix:", 2)
	out := namespaced(t, strings.Join(build, "\n")+"\n"+steps[0]+` >/run/log 2>&1 &
		for i in $(seq 600); do [[ -S /run/ftpd.sock ]] && break; sleep 0.1; done
		`+steps[1])
	if !strings.Contains(out, "sessions") {
		t.Errorf("got %q", out)
	}
}
