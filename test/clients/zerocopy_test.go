package clients

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// gathered is the number of bytes at the beginning of an upload that may go through the daemon's memory: those that come
// while it might still be a small one.
const gathered = 256 << 10

// Transfers in clear text and in TYPE I never pass through the daemon's memory: data goes from file to connection by
// sendfile, and from connection to file by splice, also if the transfer is limited, counted, resumed or appended.
// (For downloads of up to 128 KiB see TestOnePacket.)
func TestZeroCopy(t *testing.T) {
	const size, part, small = 9<<20 + 5, 5<<20 + 3, 128<<10 + 1
	content := strings.Repeat("0123456789abcde\n", size/16+1)[:size]
	rates := config.Rates{Up: 64 << 20, Down: 64 << 20}
	limited := func(c *config.Config) {
		c.Limits.Bandwidth = config.Bandwidth{Session: rates, User: rates, Server: rates}
	}
	withQuota := func(c *config.Config) { c.Users[0].Quota = config.Quota{Bytes: 1 << 40, Files: 1000} }

	tests := []struct {
		name     string
		edit     func(*config.Config)
		transfer func(c *ftptest.Client) // of the file "there", which holds the content, or to "new"
		down, up int                     // bytes
	}{
		{"download", nil, func(c *ftptest.Client) { get(c, "there", content) }, size, 0},
		{"download, limited", limited, func(c *ftptest.Client) { get(c, "there", content) }, size, 0},
		{"download, with a quota", withQuota, func(c *ftptest.Client) { get(c, "there", content) }, size, 0},
		{"download, resumed", nil, func(c *ftptest.Client) {
			c.Must(fmt.Sprint("REST ", part), "350")
			get(c, "there", content[part:])
		}, size - part, 0},
		{"download, a range", nil, func(c *ftptest.Client) {
			c.Must(fmt.Sprintf("RANG %d %d", part, part+small-1), "350")
			get(c, "there", content[part:part+small])
		}, small, 0},
		{"download, small", nil, func(c *ftptest.Client) { get(c, "small", content[:small]) }, small, 0},
		{"upload", nil, func(c *ftptest.Client) { c.Put("STOR new", content) }, 0, size},
		{"upload, limited", limited, func(c *ftptest.Client) { c.Put("STOR new", content) }, 0, size},
		{"upload, with a quota", withQuota, func(c *ftptest.Client) { c.Put("STOR new", content) }, 0, size},
		{"upload, limited, with a quota", func(c *config.Config) { limited(c); withQuota(c) },
			func(c *ftptest.Client) { c.Put("STOR new", content) }, 0, size},
		{"upload, replacing", nil, func(c *ftptest.Client) { c.Put("STOR there", content) }, 0, size},
		{"upload, resumed at the end", nil, func(c *ftptest.Client) {
			c.Must(fmt.Sprint("REST ", size), "350")
			c.Put("STOR there", content)
		}, 0, size},
		{"upload, resumed within", nil, func(c *ftptest.Client) {
			c.Must(fmt.Sprint("REST ", part), "350")
			c.Put("STOR there", content)
		}, 0, size},
		{"append", nil, func(c *ftptest.Client) { c.Put("APPE there", content) }, 0, size},
		{"append, limited, with a quota", func(c *config.Config) { limited(c); withQuota(c) },
			func(c *ftptest.Client) { c.Put("APPE there", content) }, 0, size},
		{"unique name", nil, func(c *ftptest.Client) { c.Put("STOU", content) }, 0, size},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			edit := tt.edit
			if edit == nil {
				edit = func(*config.Config) {}
			}
			d := start(t, ipv4, false, "", edit)
			write(t, filepath.Join(d.root, "there"), []byte(content))
			write(t, filepath.Join(d.root, "small"), []byte(content[:small]))
			c := ftptest.Login(t, d.host+":"+d.port, "alice")
			calls := traced(t, d.pid, func() { tt.transfer(c) })
			if got := calls.sent(d.root); got != tt.down {
				t.Errorf("sendfile has sent %d bytes of files, want %d", got, tt.down)
			}
			copied, call := calls.copied(d.root)
			if got := calls.spliced(d.root); got+copied != tt.up {
				t.Errorf("splice has brought %d bytes to files, want %d less %d", got, tt.up, copied)
			}
			if copied > gathered || copied > 0 && tt.up == 0 {
				t.Errorf("%d bytes went through memory, the last by %s", copied, call)
			}
			if t.Failed() {
				t.Logf("system calls:\n%.4000s", calls)
			}
		})
	}
}

// A file of up to 128 KiB is sent with one call, together with the end of the connection.
func TestOnePacket(t *testing.T) {
	t.Parallel()
	d := start(t, ipv4, false, "", func(*config.Config) {})
	c := ftptest.Login(t, d.host+":"+d.port, "alice")
	for _, size := range []int{1, 16 << 10, 128 << 10} {
		content := strings.Repeat("x", size)
		write(t, filepath.Join(d.root, "little"), []byte(content))
		calls := traced(t, d.pid, func() { get(c, "little", content) })
		once := regexp.MustCompile(fmt.Sprintf(`(?m)^sendto\(.*, %d, MSG_[A-Z_|]*MSG_MORE, NULL, 0\) += %d$`, size, size))
		if n := len(once.FindAllString(string(calls), -1)); n != 1 || calls.sent(d.root) != 0 {
			t.Errorf("%d octets were sent by %d such calls; system calls:\n%.4000s", size, n, calls)
		}
	}
}

// The end of an upload's TLS 1.3 handshake is acknowledged at once: a client with Nagle's algorithm enabled, such as
// PHP, sends no data before the acknowledgement, which the kernel would delay by 40 ms. In a download the data
// carries it.
func TestAcknowledgedAtOnce(t *testing.T) {
	t.Parallel()
	d := start(t, ipv4, true, config.SessionReusePrefer)
	write(t, filepath.Join(d.root, "there"), []byte("content"))
	cfg := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, ClientSessionCache: tls.NewLRUClientSessionCache(1)} //nolint:gosec // of this test's own server
	c := ftptest.LoginTLS(t, d.host+":"+d.port, "alice", cfg)
	acknowledged := regexp.MustCompile(`(?m)^setsockopt\(.*, SOL_TCP, TCP_QUICKACK, \[1\], 4\) += 0$`)
	for want, do := range []func(){
		func() { get(c, "there", "content") },
		func() { c.Put("STOR new", "content") },
	} {
		calls := traced(t, d.pid, do)
		if n := len(acknowledged.FindAllString(string(calls), -1)); n != want {
			t.Errorf("%d connections were to be acknowledged at once, not %d; system calls:\n%.4000s", n, want, calls)
		}
	}
}

func get(c *ftptest.Client, name, want string) {
	c.TB().Helper()
	if got := c.Get("RETR " + name); got != want {
		c.TB().Errorf("%s: %d bytes came, and not those", name, len(got))
	}
}

// trace is strace's output for the system calls that move data, one per line, with the paths and addresses of
// descriptors.
type trace string

// traced traces a process while do runs. It skips the test if tracing is not permitted.
func traced(t *testing.T, pid int, do func()) trace {
	t.Helper()
	out := filepath.Join(t.TempDir(), "trace")
	log := &ftptest.Log{}
	// Write one file for each thread, so that the lines of different threads are not mixed.
	cmd := exec.Command("strace", "-ff", "-y", "-s", "0", "-o", out, "-p", strconv.Itoa(pid), //nolint:gosec // numbers
		"-e", "trace=sendfile,splice,copy_file_range,read,write,pread64,pwrite64,readv,writev,preadv,pwritev,sendto,recvfrom,sendmsg,recvmsg,mmap,setsockopt")
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: `make clients` installs strace", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	over := func() bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	}
	ftptest.Eventually(t, "strace is attached", func() bool { return over() || strings.Contains(log.String(), "attached") })
	if over() {
		if text := log.String(); strings.Contains(text, "not permitted") || strings.Contains(text, "Permission denied") {
			t.Skipf("NOT TESTED: tracing is not permitted here: %s", text)
		}
		t.Fatalf("strace: %s", log)
	}
	do()
	_ = cmd.Process.Signal(syscall.SIGINT)
	<-ended
	files, err := filepath.Glob(out + ".*")
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return trace(all.String())
}

// descriptor matches a descriptor as strace -y prints it.
const descriptor = `\d+<(\w+:\[\d+\]|[^>]*)>`

var (
	sendfileCall = regexp.MustCompile(`(?m)^sendfile\(` + descriptor + `, ` + descriptor + `, .*\) = (\d+)$`)
	spliceCall   = regexp.MustCompile(`(?m)^splice\(` + descriptor + `, \w+, ` + descriptor + `, .*\) = (\d+)$`)
	copyCall     = regexp.MustCompile(`(?m)^(?:p?read|p?write)(?:v|64)?\(` + descriptor + `, .*\) = (\d+)$`)
)

// sent returns the number of bytes that sendfile has sent from files below root.
func (c trace) sent(root string) (n int) {
	for _, m := range sendfileCall.FindAllStringSubmatch(string(c), -1) {
		if strings.HasPrefix(m[1], "socket") && strings.HasPrefix(m[2], root) {
			n += number(m[3])
		}
	}
	return n
}

// spliced returns the number of bytes that splice has written to files below root.
func (c trace) spliced(root string) (n int) {
	for _, m := range spliceCall.FindAllStringSubmatch(string(c), -1) {
		if strings.HasPrefix(m[1], "pipe") && strings.HasPrefix(m[2], root) {
			n += number(m[3])
		}
	}
	return n
}

// journalSize is larger than the journal of an append.
const journalSize = 4096

// copied returns the number of bytes of files below root that were read or written, and the last such call. Journals,
// which are small, do not count.
func (c trace) copied(root string) (n int, call string) {
	for _, m := range copyCall.FindAllStringSubmatch(string(c), -1) {
		if strings.HasPrefix(m[1], root) && (number(m[2]) > journalSize || !strings.Contains(m[1], ".ftpd-append-")) && number(m[2]) > 0 {
			n, call = n+number(m[2]), m[0]
		}
	}
	return n, call
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}
