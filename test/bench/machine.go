package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// facts returns when, where and with which versions the measurement was made.
func (b *bench) facts(took time.Duration) []string {
	facts := []string{
		fmt.Sprintf("Measured on %s, %d rounds of all servers by turns, in %s. Cells are medians (least-greatest); those of system calls are means.",
			time.Now().UTC().Format("2006-01-02"), b.rounds, took.Round(time.Second)),
		fmt.Sprintf("The machine: %d processors (%s), %d GiB of memory, Linux %s, %s. Clients and servers share it, over loopback.",
			processors(), field("/proc/cpuinfo", "model name"), memoryGiB(), kernel(), runtime.Version()),
		fmt.Sprintf("The files lie on %s. The big file has %d MiB; 4 at a time store a quarter of it each.", fileSystem(b.site.Files), b.size>>20),
		"Ratios compare with the best peer of the row, which is bold, round by round: the median (least-greatest). Above 1, the daemon is the better one.",
	}
	var versions []string
	for _, k := range b.kinds() {
		if k.Ours || k.Logged {
			continue
		}
		versions = append(versions, fmt.Sprintf("%s: %s (%s)", k.Name, strings.Trim(strings.TrimPrefix(b.versions[k.Name], k.Name), " :"), b.tls[k.Name]))
	}
	return append(facts, "Versions: "+strings.Join(versions, "; ")+".")
}

// processors returns the number of processors that this process may use.
func processors() int { return runtime.NumCPU() }

// field returns the first value of a name in a file of /proc.
func field(file, name string) string {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func memoryGiB() int64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	return int64(info.Totalram*uint64(info.Unit)+1<<29) >> 30
}

func kernel() string {
	text, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(text))
}

// fileSystem returns the type of the file system of a path.
func fileSystem(path string) string {
	var s unix.Statfs_t
	if unix.Statfs(path, &s) != nil {
		return "an unknown file system"
	}
	for name, magic := range map[string]int64{
		"ext4": unix.EXT4_SUPER_MAGIC, "xfs": unix.XFS_SUPER_MAGIC, "btrfs": unix.BTRFS_SUPER_MAGIC,
		"tmpfs (memory: fsync costs nothing)": unix.TMPFS_MAGIC, "overlayfs": unix.OVERLAYFS_SUPER_MAGIC,
	} {
		if int64(s.Type) == magic { //nolint:unconvert // of another type on other architectures
			if name == "ext4" && !journaled(path) {
				name = "ext4 without a journal, where creating files is slow after others were deleted"
			}
			return name
		}
	}
	return fmt.Sprintf("a file system of type %#x", s.Type)
}

// journaled reports whether the ext4 of a path has a journal.
func journaled(path string) bool {
	var s unix.Stat_t
	if unix.Stat(path, &s) != nil {
		return false
	}
	device, err := os.Readlink(fmt.Sprintf("/sys/dev/block/%d:%d", unix.Major(uint64(s.Dev)), unix.Minor(uint64(s.Dev)))) //nolint:unconvert // as above
	if err != nil {
		return false
	}
	journals, _ := filepath.Glob("/proc/fs/jbd2/" + filepath.Base(device) + "-*")
	return len(journals) > 0
}
