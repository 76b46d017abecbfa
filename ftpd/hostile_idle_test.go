package ftpd_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

const (
	// idleSessions is the number of sessions if there are enough descriptors.
	idleSessions = 10000
	// idleSessionsRace is the number that the race detector can follow, with three goroutines each.
	idleSessionsRace = 1000
	// spareDescriptors is the number of descriptors for everything else.
	spareDescriptors = 500
)

const idleClientsEnv = "FTPD_TEST_IDLE_CLIENTS"

// mostDescriptors raises the soft limit of descriptors to the hard limit, and returns it.
func mostDescriptors(t *testing.T) int {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	return int(min(limit.Cur, 1<<20)) //nolint:gosec // bounded
}

// Thousands of idle sessions, most of them logged in, must leave room for others. The clients are in a child process,
// which is this test itself, with descriptors of its own.
func TestHostileIdleSessions(t *testing.T) {
	if order := os.Getenv(idleClientsEnv); order != "" {
		sitIdle(t, order)
		return
	}
	sessions := idleSessions
	if raceDetector {
		sessions = idleSessionsRace
	}
	room := mostDescriptors(t) - spareDescriptors
	sessions = min(sessions, room)
	loggedIn := min(sessions, room-sessions) // each also has its home open
	t.Logf("%d sessions, %d of them logged in", sessions, loggedIn)
	s := besiege(t, noBans, func(c *config.Config) { c.Limits.MaxPreLogin = idleSessions })
	s.withstands(t, func(t *testing.T) {
		heap := heapInUse()
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		child := exec.CommandContext(t.Context(), exe, "-test.run=^TestHostileIdleSessions$", "-test.v")
		child.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d", idleClientsEnv, s.Addr, sessions, loggedIn))
		stdin, err := child.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		said := bufio.NewScanner(stdout)
		var output strings.Builder
		for said.Scan() && !strings.HasSuffix(said.Text(), "all idle") {
			output.WriteString(said.Text() + "\n")
		}
		if n := s.Status().Sessions; n != sessions+1 {
			t.Errorf("%d sessions, want those of %d idle clients and the bystander's", n, sessions)
		}
		s.unharmed()
		ftptest.Login(t, s.Addr, "reader").Must("PWD", "257")
		if each := (heapInUse() - heap) / sessions; each > 100<<10 {
			t.Errorf("an idle session takes %d bytes", each)
		}
		_ = stdin.Close()
		_, _ = io.Copy(&output, stdout)
		if err := child.Wait(); err != nil {
			t.Errorf("the clients: %v\n%s", err, &output)
		}
		ftptest.Eventually(t, "the sessions end", func() bool { return s.Status().Sessions <= 2 })
	})
}

func heapInUse() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse + m.StackInuse) //nolint:gosec // a test's
}

// sitIdle opens sessions, and keeps them open until the parent closes the standard input.
func sitIdle(t *testing.T, order string) {
	mostDescriptors(t)
	words := strings.Fields(order)
	sessions, _ := strconv.Atoi(words[1])
	loggedIn, _ := strconv.Atoi(words[2])
	conns := make(chan net.Conn, sessions)
	next := make(chan int)
	var dialers sync.WaitGroup
	for range 16 {
		dialers.Go(func() {
			for i := range next {
				conn, err := idleSession(words[0], net.IPv4(127, 0, 4, byte(i%250+1)), i < loggedIn)
				if err != nil {
					t.Error(err)
					continue
				}
				conns <- conn
			}
		})
	}
	for i := range sessions {
		next <- i
	}
	close(next)
	dialers.Wait()
	close(conns)
	fmt.Println("all idle")
	_, _ = io.Copy(io.Discard, os.Stdin)
	for conn := range conns {
		_ = conn.Close()
	}
}

// idleSession connects, and logs in if login is set.
func idleSession(addr string, from net.IP, login bool) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	want := "220"
	if login {
		_, _ = io.WriteString(conn, "USER alice\r\nPASS "+ftptest.Password+"\r\n")
		want = "230"
	}
	replies := bufio.NewScanner(conn)
	for replies.Scan() {
		if strings.HasPrefix(replies.Text(), want) {
			return conn, nil
		}
	}
	_ = conn.Close()
	return nil, fmt.Errorf("no %s came: %w, %q", want, replies.Err(), replies.Text())
}
