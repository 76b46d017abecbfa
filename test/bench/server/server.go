// Package server runs the FTP servers that are compared, the project's own and others, each as a process tree whose
// CPU time and memory are measured.
package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// This is the account of the load generator.
const (
	User     = "bench"
	Password = "bench-7Qd2"
)

// nobody is the user and group that own the files and that sessions run as.
const nobody = 65534

// Site is what all servers share.
type Site struct {
	Files     string // the directory that is served, writable for nobody
	Work      string // for configurations and logs
	Peers     string // the unpacked packages, one directory each
	Ftpd      string // the project's own binary
	Self      string // this program, for the raw server
	Cert, Key string // PEM files
}

// Kind is a kind of server.
type Kind struct {
	Name string
	// Ours is true for the project's own server. Base is true for one of another commit. Sync is true if the server acknowledges an upload only when it is on
	// disk.
	Ours, Base, Sync bool
	// Logged is true for a peer with its transfer log, which it has in addition to the same peer without.
	Logged bool
	// MLSD is true if the server supports the machine listings of RFC 3659.
	MLSD bool
	// tlsApart is true if the server accepts AUTH TLS on the next port only.
	tlsApart bool
	// program is what a peer can't do without, in the folder of the peers.
	program string
	// version returns the command that prints the version, which is in the first line with a digit.
	version func(Site) *exec.Cmd
	// command writes a configuration into dir and returns the command that serves on the port in the foreground.
	command func(site Site, dir string, port int) (*exec.Cmd, error)
}

// All are all servers: the project's own first, then the peers, and the peers with their transfer logs.
var All = []Kind{
	ours, oursNoSync,
	vsftpd(false), proftpd(false), pureFTPd(false), pyftpdlib(false),
	vsftpd(true), proftpd(true), pureFTPd(true), pyftpdlib(true),
}

// transferLog is the name of a peer's transfer log, in its directory.
const transferLog = "transfer.log"

// logName returns the name of a peer, which says whether it has a transfer log.
func logName(peer string, logged bool) string {
	if logged {
		return peer + ", log"
	}
	return peer
}

// Running is a running server.
type Running struct {
	Kind
	Addr netip.AddrPort
	TLS  netip.AddrPort // the address that accepts AUTH TLS; mostly the same as Addr
	cmd  *exec.Cmd
	dir  string
	cg   *cgroup
	gone chan struct{} // closed when the process has ended
}

// patience is the time in which a server must start, and in which it must end.
const patience = 30 * time.Second

// Start starts a server and waits until it sends a greeting.
func (k Kind) Start(ctx context.Context, site Site) (*Running, error) {
	r, err := k.start(ctx, site)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", k.Name, err)
	}
	return r, nil
}

func (k Kind) start(ctx context.Context, site Site) (*Running, error) {
	port, err := freePorts(2) // two ports, for servers with a separate TLS port
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(site.Work, strings.NewReplacer(" ", "-", ",", "").Replace(k.Name)+"-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // servers read it as nobody
		return nil, err
	}
	cmd, err := k.command(site, dir, port)
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644) //nolint:gosec // nothing secret is in it
	if err != nil {
		return nil, err
	}
	defer log.Close()                                               //nolint:errcheck // the child has its own
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, log, dir // vsftpd writes errors to its standard input
	if k.Ours {
		write, err := collect(log)
		if err != nil {
			return nil, err
		}
		defer write.Close() //nolint:errcheck // the child has its own
		cmd.Stdout, cmd.Stderr = write, write
	}
	cg, err := newCgroup(fmt.Sprintf("ftp-bench-%d-%s", os.Getpid(), filepath.Base(dir)))
	if err != nil {
		return nil, err
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(cg.dir.Fd())
	cmd.SysProcAttr.Setpgid = true // an interrupt from the keyboard is for this process, which stops the server
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, cg.kill(patience))
	}
	r := &Running{Kind: k, cmd: cmd, dir: dir, cg: cg, gone: make(chan struct{})}
	r.Addr = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port))
	r.TLS = r.Addr
	if k.tlsApart {
		r.TLS = netip.AddrPortFrom(r.Addr.Addr(), uint16(port)+1)
	}
	go func() {
		_ = cmd.Wait()
		close(r.gone)
	}()
	if err := r.await(ctx); err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	return r, nil
}

// await polls until the server sends a greeting.
func (r *Running) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var d net.Dialer
	for {
		conn, err := d.DialContext(ctx, "tcp", r.Addr.String())
		if err == nil {
			_ = conn.SetReadDeadline(time.Now().Add(patience))
			var greeting [4]byte
			_, err = conn.Read(greeting[:])
			_ = conn.Close()
			if err == nil {
				return nil
			}
		}
		select {
		case <-r.gone:
			return fmt.Errorf("it ended at once: %s", r.log())
		case <-ctx.Done():
			return fmt.Errorf("it does not greet: %w: %s", err, r.log())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// collect returns a pipe from which another process writes to log, until the pipe is closed: as in a container, whose
// runtime collects what the daemon says.
func collect(log *os.File) (*os.File, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close() //nolint:errcheck // the collector has its own
	collector := exec.Command("cat")
	collector.Stdin, collector.Stdout = read, log
	if err := collector.Start(); err != nil {
		return nil, errors.Join(err, write.Close())
	}
	go collector.Wait() //nolint:errcheck // it ends with the pipe
	return write, nil
}

// log returns the end of the server's output.
func (r *Running) log() string {
	text, _ := os.ReadFile(filepath.Join(r.dir, "log"))
	return string(bytes.TrimSpace(text[max(0, len(text)-2000):]))
}

// HasLogged returns an error if a peer's transfer log is empty.
func (r *Running) HasLogged() error {
	info, err := os.Stat(filepath.Join(r.dir, transferLog))
	if err == nil && info.Size() == 0 {
		err = errors.New("the transfer log is empty")
	}
	return err
}

// CPU returns the CPU time that the server has used, with all its processes.
func (r *Running) CPU() (time.Duration, error) { return r.cg.cpu() }

// PSS returns the memory of the server's processes in bytes (proportional set size: shared memory is counted once),
// and their number.
func (r *Running) PSS() (int64, int, error) { return r.cg.pss() }

// PIDs returns the IDs of the server's processes.
func (r *Running) PIDs() ([]int, error) {
	texts, err := r.cg.pids()
	if err != nil {
		return nil, err
	}
	ids := make([]int, len(texts))
	for i, text := range texts {
		if ids[i], err = strconv.Atoi(text); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// PID returns the ID of the process that was started, which may have started others.
func (r *Running) PID() int { return r.cmd.Process.Pid }

// Stop ends the server with all its processes.
func (r *Running) Stop() error {
	err := r.cg.kill(patience)
	<-r.gone
	return errors.Join(err, os.RemoveAll(r.dir))
}

// Installed returns an error if a peer is not there.
func (k Kind) Installed(site Site) error {
	if _, err := os.Stat(filepath.Join(site.Peers, k.program)); err != nil {
		folder, _, _ := strings.Cut(k.program, "/")
		return fmt.Errorf("%s: %w; remove the folder %s, and make bench fetches it again", k.Name, err, filepath.Join(site.Peers, folder))
	}
	return nil
}

// Version returns the version that the server prints.
func (k Kind) Version(site Site) string {
	out, _ := k.version(site).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.ContainsAny(line, "0123456789") {
			return strings.TrimSpace(line)
		}
	}
	return "unknown"
}

// write writes a configuration file and returns its path.
func write(dir, name, text string) (string, error) {
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, []byte(text), 0o644) //nolint:gosec // servers read it as nobody
}

// quickHash returns a crypt(3) hash that is quick to verify (MD5), the quickest that the peers accept: with the
// hashes of pure-pw they could verify only two per second.
func quickHash(password string) (string, error) {
	cmd := exec.Command("openssl", "passwd", "-1", "-stdin")
	cmd.Stdin = strings.NewReader(password + "\n")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("openssl passwd: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// forking returns the command of a server that has a process for each session and was unpacked into a directory with
// its libraries. It gets the usual limit of open files: some servers close that many descriptors at each fork, and
// would be slow with a higher limit.
func forking(root, program string, args ...string) *exec.Cmd {
	args = append([]string{"-c", `ulimit -n 1024 && exec "$@"`, "sh", program}, args...)
	cmd := exec.Command("/bin/sh", args...)
	libs, _ := filepath.Glob(filepath.Join(root, "usr", "lib", "*-linux-gnu*"))
	libs = append(libs, filepath.Join(root, "usr", "lib"))
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join(libs, ":"))
	return cmd
}

func portText(port int) string { return strconv.Itoa(port) }
