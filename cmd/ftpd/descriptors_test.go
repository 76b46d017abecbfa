package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// childVariable is an environment variable. It makes this test's program the daemon, with so many descriptors.
const childVariable = "FTPD_TEST_DESCRIPTORS"

func TestMain(m *testing.M) {
	text := os.Getenv(childVariable)
	if text == "" {
		goleak.VerifyTestMain(m)
		return
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err == nil {
		err = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: n})
	}
	if err != nil {
		panic(err)
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM)
	os.Exit(run(context.Background(), os.Args[1:], signals, os.Stdout, os.Stderr))
}

// startChild runs the daemon as a process with so few descriptors. It returns the control address, the admin address
// and the log.
func startChild(t *testing.T, descriptors int, root string) (addr, adminAddr string, log *ftptest.Log) {
	t.Helper()
	free := ftptest.FreePorts(t, "127.0.0.1", 6)
	addr, adminAddr = fmt.Sprintf("127.0.0.1:%d", free[0]), fmt.Sprintf("127.0.0.1:%d", free[1])
	off := false
	file, err := (&config.Config{
		APIVersion: config.APIVersion, Listen: []string{addr}, AdminAddress: adminAddr,
		Storage: config.Storage{Root: root}, Passive: config.Passive{Ports: free[2:]},
		Users: []config.User{ftptest.User("alice", ".", config.AccessReadWrite)}, Bans: config.Bans{Enabled: &off},
		Timeouts: config.Timeouts{Data: config.Duration(time.Hour), Login: config.Duration(10 * time.Minute)},
	}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "ftpd.yaml")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	log = &ftptest.Log{}
	child := exec.Command(os.Args[0], "--config", name) //nolint:gosec // this program
	child.Env = append(os.Environ(), childVariable+"="+strconv.Itoa(descriptors))
	child.Stdout, child.Stderr = log, log
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = child.Process.Kill()
		_ = child.Wait()
		if t.Failed() {
			t.Logf("the daemon's log:\n%s", log)
		}
	})
	ftptest.Eventually(t, "the daemon serves", func() bool {
		code, _ := ask(t, adminAddr, "/readyz")
		return code == http.StatusOK
	})
	return addr, adminAddr, log
}

// ask sends a request to the admin port on a connection of its own, as a kubelet does.
func ask(t *testing.T, adminAddr, path string) (int, error) {
	t.Helper()
	client := http.Client{Timeout: ftptest.Patience(t), Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + adminAddr + path)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode, response.Body.Close()
}

// hold opens connections from many addresses, or from one, and keeps them open.
func hold(t *testing.T, n int, address string, from func(int) string, say string) {
	t.Helper()
	for i := range n {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from(i))}, Timeout: ftptest.Patience(t)}
		c, err := d.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_, _ = io.WriteString(c, say) // the server may have refused the connection already
	}
}

// With few descriptors, floods of the control port, the admin port and uploads at the same time must not stop the
// daemon: an upload that had begun completes, another client can log in, /healthz and /readyz answer, and the daemon
// never lacks a descriptor. Everything that is refused must be refused with a reply.
func TestFloodsWithFewDescriptors(t *testing.T) {
	t.Parallel()
	for _, descriptors := range []int{96, 256} {
		t.Run(strconv.Itoa(descriptors), func(t *testing.T) {
			root := t.TempDir()
			addr, adminAddr, log := startChild(t, descriptors, root)
			first := ftptest.Login(t, addr, "alice")
			data := first.Data()
			first.Must("STOR first", "150")
			if _, err := io.WriteString(data, "one half, "); err != nil {
				t.Fatal(err)
			}

			var floods sync.WaitGroup
			var refused atomic.Int64
			// These are uploads that stay open, of logged-in users.
			for i := range descriptors / 4 {
				floods.Go(func() { refused.Add(int64(openUpload(t, addr, i))) })
			}
			floods.Go(func() {
				hold(t, 2*descriptors, addr, func(i int) string { return fmt.Sprintf("127.0.3.%d", i%200+1) }, "US")
			})
			floods.Go(func() {
				hold(t, descriptors, adminAddr, func(int) string { return "127.0.4.1" }, "GET /hea")
			})
			over := make(chan struct{})
			go func() { floods.Wait(); close(over) }()
			for done := false; !done; {
				select {
				case <-over:
					done = true // one more round
				default:
				}
				for _, path := range []string{"/healthz", "/readyz"} {
					if code, err := ask(t, adminAddr, path); code != http.StatusOK {
						t.Fatalf("%s: %d, %v", path, code, err)
					}
				}
			}
			if refused.Load() == 0 {
				t.Error("nothing was refused: this floods nothing")
			}
			if _, err := io.WriteString(data, "and the other"); err != nil {
				t.Fatal(err)
			}
			_ = data.Close()
			if reply := first.Reply(); reply[:3] != "226" {
				t.Errorf("the upload that had begun: %s", reply)
			}
			if got, err := os.ReadFile(filepath.Join(root, "first")); string(got) != "one half, and the other" { //nolint:gosec // a test's own
				t.Errorf("stored %q, %v", got, err)
			}
			// Sessions that had to give way have half of the reserve until they have ended, so the next upload may have to be
			// tried again.
			ftptest.Eventually(t, "its next upload completes", func() bool { return uploads(t, first) })
			for _, problem := range []string{"too many open files", "accept failed", "can't accept"} {
				if lines := log.Lines(problem); lines != nil {
					t.Errorf("the daemon lacked descriptors: %s", lines[0])
				}
			}
		})
	}
}

// uploads tries an upload. It returns false if a step was refused for lack of descriptors.
func uploads(t *testing.T, c *ftptest.Client) bool {
	t.Helper()
	reply := c.Do("EPSV")
	_, port, ok := strings.Cut(reply, "(|||")
	if !ok {
		if !strings.HasPrefix(reply, "425") {
			t.Fatalf("EPSV: %s", reply)
		}
		return false
	}
	data := c.DialData("127.0.0.1:" + strings.TrimSuffix(port, "|)"))
	defer func() { _ = data.Close() }()
	switch reply := c.Do("STOR second"); {
	case strings.HasPrefix(reply, "450"):
		return false
	case !strings.HasPrefix(reply, "150"):
		t.Fatalf("STOR: %s", reply)
	}
	if _, err := io.WriteString(data, "content"); err != nil {
		t.Fatal(err)
	}
	_ = data.Close()
	if reply := c.Reply(); reply[:3] != "226" {
		t.Fatalf("the end of the upload: %s", reply)
	}
	return true
}

// openUpload logs in and begins an upload that stays open. It returns 1 if a step was refused, which must happen with
// a reply.
func openUpload(t *testing.T, addr string, i int) (refused int) {
	c := ftptest.DialFrom(t, fmt.Sprintf("127.0.5.%d", i%200+1), addr)
	for _, step := range []struct {
		command, want string
		refusals      []string
	}{
		{"", "220", []string{"421"}},
		{"USER alice", "331", []string{"421"}},
		{"PASS " + ftptest.Password, "230", []string{"421", "530 Login refused: too many files"}},
		{"EPSV", "229", []string{"425", "421 Too many clients do not log in"}}, // the session had to give way during the login
		{fmt.Sprint("STOR file", i), "150", []string{"450"}},
	} {
		if step.command != "" {
			_ = c.SetWriteDeadline(ftptest.Deadline(t))
			if _, err := io.WriteString(c.TCPConn, step.command+"\r\n"); err != nil {
				return 1 // evicted, after the reason was sent
			}
		}
		reply, err := c.Line()
		for _, r := range step.refusals {
			if err == nil && strings.HasPrefix(reply, r) {
				return 1
			}
		}
		if err != nil && step.want < "230" {
			return 1 // evicted before the client had read the reason
		}
		if err != nil || !strings.HasPrefix(reply, step.want) {
			t.Errorf("upload %d: %s: %q, %v", i, step.command, reply, err)
			return 1
		}
		if step.command == "EPSV" {
			_, port, _ := strings.Cut(reply, "(|||")
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: c.LocalAddr().(*net.TCPAddr).IP}, Timeout: ftptest.Patience(t)}
			data, err := d.Dial("tcp", "127.0.0.1:"+strings.TrimSuffix(port, "|)"))
			if err != nil {
				t.Error(err)
				return 1
			}
			t.Cleanup(func() { _ = data.Close() })
		}
	}
	return 0
}
