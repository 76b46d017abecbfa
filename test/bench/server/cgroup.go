package server

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// cgroup is a control group of version 2 that contains one server and all processes that it starts. Processes that
// have ended, or whose parent has ended, are counted, too.
type cgroup struct {
	path string
	dir  *os.File
}

// newCgroup creates a control group below that of this process.
func newCgroup(name string) (*cgroup, error) {
	own, err := ownCgroup()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(own, name)
	if err := os.Mkdir(path, 0o755); err != nil {
		return nil, fmt.Errorf("make a control group (this needs root, and cgroup version 2 writable): %w", err)
	}
	dir, err := os.Open(path)
	if err != nil {
		_ = os.Remove(path)
		return nil, err
	}
	return &cgroup{path: path, dir: dir}, nil
}

// ownCgroup returns the directory of this process's control group.
func ownCgroup() (string, error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return "", err
	}
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[2] != "cgroup2" {
			continue
		}
		for line := range strings.Lines(string(groups)) {
			if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
				return filepath.Join(fields[1], path), nil
			}
		}
	}
	return "", errors.New("no cgroup of version 2 is mounted: mount one, it counts what each server uses")
}

// cpu returns the CPU time used so far.
func (c *cgroup) cpu() (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join(c.path, "cpu.stat"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "usage_usec "); ok {
			n, err := strconv.ParseInt(value, 10, 64)
			return time.Duration(n) * time.Microsecond, err
		}
	}
	return 0, errors.New("cpu.stat does not tell usage_usec")
}

// pids returns the IDs of the running processes.
func (c *cgroup) pids() ([]string, error) {
	text, err := os.ReadFile(filepath.Join(c.path, "cgroup.procs"))
	return strings.Fields(string(text)), err
}

// pss returns the memory of all processes in bytes, with shared memory counted once, and their number.
func (c *cgroup) pss() (total int64, processes int, err error) {
	pids, err := c.pids()
	if err != nil {
		return 0, 0, err
	}
	for _, pid := range pids {
		text, err := os.ReadFile("/proc/" + pid + "/smaps_rollup")
		if errors.Is(err, fs.ErrNotExist) || err != nil && strings.Contains(err.Error(), "no such process") {
			continue // the process has just ended
		}
		if err != nil {
			return 0, 0, err
		}
		total += pssOf(text)
		processes++
	}
	return total, processes, nil
}

// pssOf parses smaps_rollup.
func pssOf(text []byte) int64 {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "Pss:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return n << 10
		}
	}
	return 0
}

// kill ends every process in the group, and removes the group. It polls, since the kernel reports that a group has
// become empty only through a file that would have to be watched.
func (c *cgroup) kill(patience time.Duration) error {
	defer c.dir.Close() //nolint:errcheck // it was only named
	if err := os.WriteFile(filepath.Join(c.path, "cgroup.kill"), []byte("1"), 0); err != nil {
		return err
	}
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if err = os.Remove(c.path); err == nil {
			return nil
		}
	}
	return fmt.Errorf("remove the control group: %w", err)
}
