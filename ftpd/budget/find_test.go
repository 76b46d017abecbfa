package budget

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// fixtureVariable is an environment variable. If it is set for this test's program, the program prints what Find
// returns when /proc/self/cgroup and /proc/self/mountinfo are those of the directory that the variable names.
const fixtureVariable = "BUDGET_TEST_FIXTURE"

func TestMain(m *testing.M) {
	dir := os.Getenv(fixtureVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	for _, name := range []string{"cgroup", "mountinfo"} {
		if err := unix.Mount(filepath.Join(dir, name), "/proc/self/"+name, "", unix.MS_BIND, ""); err != nil {
			fmt.Println("unsupported", err)
			return
		}
	}
	a, err := Find()
	Apply(a)
	fmt.Println("found", a.Memory, debug.SetMemoryLimit(-1), a.Descriptors > 0 && a.Processors > 0, err)
}

// find runs Find for a process with these cgroups and mounts, in which DIR stands for a directory that holds the
// files.
func find(t *testing.T, cgroup, mountinfo string, files map[string]string, env ...string) string {
	t.Helper()
	dir := t.TempDir()
	files["cgroup"], files["mountinfo"] = cgroup, strings.ReplaceAll(mountinfo, "DIR", dir)
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	child := exec.Command(os.Args[0]) //nolint:gosec // this program
	child.Env = append(os.Environ(), append(env, fixtureVariable+"="+dir)...)
	child.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		child.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		child.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	}
	out, err := child.Output()
	if err != nil || strings.HasPrefix(string(out), "unsupported") {
		t.Skipf("NOT TESTED: this machine lets nobody have mounts of his own: %v %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// Find returns the limit of the process's own cgroup, of either version, however a container sees it.
func TestFind(t *testing.T) {
	const (
		v1Memory = "34 30 0:30 %s DIR/memory rw,relatime - cgroup cgroup rw,memory" //nolint:dupword // as the kernel writes it
		v2       = "42 30 0:38 %s DIR/unified rw,relatime - cgroup2 cgroup2 rw"     //nolint:dupword // likewise
		limited  = "134217728"
		none     = "9223372036854771712"
	)
	for name, c := range map[string]struct {
		cgroup, mountinfo string
		files             map[string]string
		env               []string
		want              string
	}{
		"v1, of a container": {
			"9:name=systemd:/\n4:memory:/kubepods/pod1/c1\n0::/", fmt.Sprintf(v1Memory, "/kubepods/pod1/c1"),
			map[string]string{"memory/memory.limit_in_bytes": limited}, nil, "found 134217728 117440512 true <nil>",
		},
		"v1, with a cgroup namespace": {
			"4:memory:/", fmt.Sprintf(v1Memory, "/"),
			map[string]string{"memory/memory.limit_in_bytes": limited}, nil, "found 134217728 117440512 true <nil>",
		},
		"v1, the pod's limit": {
			"4:memory:/kubepods/pod1/c1", fmt.Sprintf(v1Memory, "/kubepods/pod1/c1"),
			map[string]string{"memory/memory.limit_in_bytes": none, "memory/memory.stat": "hierarchical_memory_limit " + limited}, nil,
			"found 134217728 117440512 true <nil>",
		},
		"v1, no limit": {
			"4:memory:/", fmt.Sprintf(v1Memory, "/"),
			map[string]string{"memory/memory.limit_in_bytes": none}, nil, "found 0 9223372036854775807 true <nil>",
		},
		"v2, of a container with a cgroup namespace": {
			"0::/", fmt.Sprintf(v2, "/"),
			map[string]string{"unified/memory.max": limited}, nil, "found 134217728 117440512 true <nil>",
		},
		"v2, without one": {
			"0::/kubepods/pod1/c1", fmt.Sprintf(v2, "/kubepods/pod1/c1"),
			map[string]string{"unified/memory.max": limited}, nil, "found 134217728 117440512 true <nil>",
		},
		"v2, the pod's limit": {
			"0::/kubepods/pod1/c1", fmt.Sprintf(v2, "/"),
			map[string]string{"unified/kubepods/pod1/c1/memory.max": "max", "unified/kubepods/pod1/memory.max": limited}, nil,
			"found 134217728 117440512 true <nil>",
		},
		"v2, no limit": {
			"0::/", fmt.Sprintf(v2, "/"),
			map[string]string{"unified/memory.max": "max"}, nil, "found 0 9223372036854775807 true <nil>",
		},
		"v1 and v2, with the memory in v1": {
			"4:memory:/\n0::/", fmt.Sprintf(v1Memory, "/") + "\n" + fmt.Sprintf(v2, "/"),
			map[string]string{"memory/memory.limit_in_bytes": limited, "unified/cgroup.procs": ""}, nil, "found 134217728 117440512 true <nil>",
		},
		"GOMEMLIMIT": {
			"0::/", fmt.Sprintf(v2, "/"),
			map[string]string{"unified/memory.max": limited}, []string{"GOMEMLIMIT=50MiB"}, "found 134217728 52428800 true <nil>",
		},
		"hidden": {
			"0::/../elsewhere", fmt.Sprintf(v2, "/"),
			map[string]string{"unified/memory.max": limited}, nil, "found 0 9223372036854775807 true no usable cgroup v2 memory mount found",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := find(t, c.cgroup, c.mountinfo, c.files, c.env...); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
