// Package calls counts the system calls that a server makes for an operation, by strace.
package calls

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrNotPermitted says that strace may not trace here.
var ErrNotPermitted = errors.New("tracing is not permitted here")

// patience is the time in which strace must attach itself to the processes, and in which it must end.
const patience = 30 * time.Second

// Counts are numbers of system calls by name.
type Counts map[string]float64

// scheduling are the calls by which threads wait for each other or for a time, are interrupted, and get memory. Go's runtime
// makes them, the more of them the longer an operation takes, and a tracer makes it take long. Waiting for the client, as
// by epoll_pwait, is not among them.
var scheduling = map[string]bool{
	"futex": true, "nanosleep": true, "clock_nanosleep": true, "sched_yield": true, "restart_syscall": true, "rt_sigreturn": true,
	"tgkill": true, "madvise": true, "mmap": true, "munmap": true, "mprotect": true, "brk": true,
}

// All returns the number of all calls.
func (c Counts) All() (n float64) {
	for _, k := range c {
		n += k
	}
	return n
}

// Work returns the number of all calls but those of scheduling and memory.
func (c Counts) Work() (n float64) {
	for name, k := range c {
		if !scheduling[name] {
			n += k
		}
	}
	return n
}

// PerOperation returns the mean number of calls that processes, with all their threads and children, make for one
// operation. do makes n operations. It runs twice, with n and 2n, and the difference counts: what is made once, such as a
// login, is not in it. pids names the processes. The error is ErrNotPermitted where tracing is forbidden.
func PerOperation(pids func() ([]int, error), n int, do func(n int) error) (Counts, error) {
	var counted [2]Counts
	for i := range counted {
		list, err := pids()
		if err != nil {
			return nil, err
		}
		if counted[i], err = traced(list, func() error { return do((i + 1) * n) }); err != nil {
			return nil, err
		}
	}
	return each(counted[0], counted[1], n), nil
}

// each returns the difference of two counts for each of n operations. Calls that have nothing to do with them, of which there
// may have been fewer the second time, count as none.
func each(once, twice Counts, n int) Counts {
	mean := Counts{}
	for name, k := range twice {
		mean[name] = max(0, (k-once[name])/float64(n))
	}
	return mean
}

// traced counts the calls of processes while do runs.
func traced(pids []int, do func() error) (Counts, error) {
	dir, err := os.MkdirTemp("", "calls-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // what is left there is small
	out := filepath.Join(dir, "summary")
	args := []string{"-c", "-f", "-o", out}
	for _, pid := range pids {
		args = append(args, "-p", strconv.Itoa(pid))
	}
	cmd := exec.Command("strace", args...)
	said := &output{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	err = attached(pids, said, ended)
	if err == nil {
		err = do()
	}
	_ = cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-ended:
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		<-ended
		err = errors.Join(err, errors.New("strace does not end"))
	}
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	return parse(text)
}

// attached waits until strace traces all processes but those that have ended meanwhile.
func attached(pids []int, said *output, gone <-chan struct{}) error {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		text := said.String()
		all := true
		for _, pid := range pids {
			all = all && (strings.Contains(text, fmt.Sprintf("Process %d attached", pid)) || ended(pid))
		}
		if all {
			return nil
		}
		select {
		case <-gone:
			text = said.String()
			if strings.Contains(text, "not permitted") || strings.Contains(text, "Permission denied") {
				return fmt.Errorf("%w: %s", ErrNotPermitted, text)
			}
			return fmt.Errorf("strace: %s", text)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return fmt.Errorf("strace does not attach itself: %s", said)
}

// ended reports whether a process is no more, or only waits for its parent to notice.
func ended(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, ok := bytes.Cut(text, []byte(") "))
	return err != nil || !ok || after[0] == 'Z' || after[0] == 'X'
}

// parse reads the table that strace -c writes: percent, seconds, microseconds a call, calls, errors (or nothing), and the name.
func parse(table []byte) (Counts, error) {
	counts := Counts{}
	lines := bufio.NewScanner(bytes.NewReader(table))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 || fields[len(fields)-1] == "total" {
			continue
		}
		if n, err := strconv.Atoi(fields[3]); err == nil {
			counts[fields[len(fields)-1]] += float64(n)
		}
	}
	if len(counts) == 0 {
		return nil, fmt.Errorf("strace has counted nothing: %s", table)
	}
	return counts, nil
}

// output holds what a program writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
