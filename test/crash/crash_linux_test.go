package crash

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var (
	duration = flag.Duration("duration", 0, "how long the load lasts, with its crashes; at least one load of each kind")
	seed     = flag.Uint64("seed", 0, "of what is chosen by chance; 0: any")
)

const (
	loadTime = time.Second // of one load; what it stores must fit on the disk
	crashes  = 12          // at how many moments of a load the power is cut
)

func TestMain(m *testing.M) {
	flag.Parse()
	if root := os.Getenv(loadEnv); root != "" {
		os.Exit(runLoad(root))
	}
	os.Exit(m.Run())
}

// Where the journal keeps the order, the daemon commits once. No acknowledged upload may be lost.
func TestCrashOrdered(t *testing.T) { survives(t, ordered) }

// On any other file system the daemon syncs the file before the directory. No acknowledged upload may be lost.
func TestCrashWriteback(t *testing.T) { survives(t, writeback) }

var (
	ordered   = plan{options: "data=ordered", writers: 16}
	writeback = plan{options: "data=writeback", writers: 16}
)

// Without fsync uploads are lost, and this test must see it: else the others prove nothing.
func TestCrashWithoutFsync(t *testing.T) {
	inside(t, func(dir string) {
		p := ordered
		p.noSync = true
		if found := newRun(t, dir, p).crashAll(); len(found) == 0 {
			t.Error("nothing was lost")
		}
	})
}

func survives(t *testing.T, p plan) {
	inside(t, func(dir string) {
		for begun := time.Now(); ; {
			for _, wrong := range newRun(t, dir, p).crashAll() {
				t.Error(wrong)
			}
			if t.Failed() || time.Since(begun) >= *duration/2 { // two tests share the time
				return
			}
		}
	})
}

// One upload after the other must make the disk flush its cache half as often where the journal keeps the order. Else
// the daemon has not recognized the file system, and TestCrashOrdered tests what TestCrashWriteback tests.
func TestOneCommit(t *testing.T) {
	inside(t, func(dir string) {
		flushes := func(p plan) float64 {
			p.writers = 1
			r := newRun(t, dir, p)
			first, last := r.told[0], r.told[len(r.told)-1]
			n := 0
			for _, q := range r.disk.log[first.requests:last.requests] {
				if q.data == nil {
					n++
				}
			}
			return float64(n) / float64(last.turn-first.turn)
		}
		one, two := flushes(ordered), flushes(writeback)
		t.Logf("flushes for each upload: %.2f, with two commits %.2f", one, two)
		if one > two*3/4 {
			t.Error("it was synced twice")
		}
	})
}

const insideEnv = "CRASH_TEST_INSIDE"

// inside runs the test again in a child process with mounts of its own, which end with it, and there calls f with an
// empty directory.
func inside(t *testing.T, f func(dir string)) {
	if dir := os.Getenv(insideEnv); dir != "" {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Fatal(err)
		}
		f(dir)
		return
	}
	possible(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), exe, "-test.run=^"+t.Name()+"$", "-test.v", "-duration="+duration.String(), fmt.Sprintf("-seed=%d", *seed))
	child.Env = append(os.Environ(), insideEnv+"="+t.TempDir())
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	// The signal comes when the thread ends that began the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	output, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	t.Logf("%s", output)
}

// possible skips the test where it can't run.
func possible(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: crashes take root, for mounts; CI runs the tests as root")
	}
	for _, device := range []string{"/dev/fuse", "/dev/loop-control"} {
		f, err := os.OpenFile(device, os.O_RDWR, 0)
		if err != nil {
			t.Skipf("NOT TESTED: this machine lends no %s: %v", device, err)
		}
		_ = f.Close()
	}
	if _, err := exec.LookPath("mkfs.ext4"); err != nil {
		t.Skipf("NOT TESTED: %v", err)
	}
}

// run is one load, and the crashes of its disk.
type run struct {
	*testing.T
	dir    string // holds the mount points
	disk   *disk
	chance *rand.Rand
	told   []told
}

// leastTold is the number of acknowledgements from which the time of a load counts.
const leastTold = 20

// told is an acknowledgement that had come when the disk had been sent that many requests.
type told struct {
	acknowledgement
	requests int
}

// newRun puts a new ext4 under load.
func newRun(t *testing.T, dir string, p plan) *run {
	n := *seed
	if n == 0 {
		n = rand.Uint64() //nolint:gosec // no secret
	}
	t.Logf("-seed=%d", n)
	r := &run{T: t, dir: dir, disk: newDisk(), chance: rand.New(rand.NewPCG(n, 0))} //nolint:gosec // to be foreseen
	r.with(r.disk, func(image string) {
		// A small journal, so that it is used all over, and nothing left to be made in the background.
		r.command("mkfs.ext4", "-q", "-F", "-b", "4096", "-i", "4096", "-J", "size=8", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard", image)
		r.disk.startLog()
		r.mounted(image, p.options, func(root string) { r.load(p, root) })
	})
	if len(r.told) == 0 {
		t.Fatal("nothing was acknowledged")
	}
	t.Logf("%+v: %d acknowledgements, %d requests to the disk", p, len(r.told), r.disk.logged())
	return r
}

// load runs the load, and notes what it acknowledges.
func (r *run) load(p plan, root string) {
	exe, err := os.Executable()
	if err != nil {
		r.Fatal(err)
	}
	child := exec.CommandContext(r.Context(), exe)
	child.Env = p.environ(root)
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	child.Stderr = os.Stderr
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	in, err := child.StdinPipe()
	if err != nil {
		r.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		r.Fatal(err)
	}
	if err := child.Start(); err != nil {
		r.Fatal(err)
	}
	defer in.Close() //nolint:errcheck // the load ends with it
	var odd error
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		requests := r.disk.logged()
		a, err := parseAcknowledgement(lines.Text())
		odd = errors.Join(odd, err)
		if r.told = append(r.told, told{a, requests}); len(r.told) == leastTold {
			time.AfterFunc(loadTime, func() { _ = in.Close() }) // not from the start, which may take long
		}
	}
	if err := errors.Join(odd, lines.Err(), child.Wait()); err != nil {
		r.Fatal(err)
	}
}

// crashAll cuts the power at many moments, and returns what is wrong after the first crash that does harm.
func (r *run) crashAll() []string {
	for i := range crashes {
		// Half of the crashes come right after an acknowledgement, when a lie would show.
		n := r.told[r.chance.IntN(len(r.told))].requests
		if i%4 >= 2 {
			n = r.chance.IntN(r.disk.logged() + 1)
		}
		l := loss(i % int(losses))
		var found []string
		after := r.disk.crashed(n, l, r.chance)
		r.with(after, func(image string) {
			r.mounted(image, "", func(root string) { found = wrongs(root, r.acknowledgedBy(n)) })
		})
		if len(found) > 0 {
			const most = 10
			found = found[:min(most, len(found))]
			return slices.Insert(found, 0, fmt.Sprintf("after a crash at request %d of %d, loss %d:", n, r.disk.logged(), l))
		}
	}
	return nil
}

// acknowledgedBy returns what had been acknowledged when the disk had been sent n requests.
func (r *run) acknowledgedBy(n int) []acknowledgement {
	var all []acknowledgement
	for _, t := range r.told {
		if t.requests <= n {
			all = append(all, t.acknowledgement)
		}
	}
	return all
}

// with calls f with the path of a file whose content is the disk.
func (r *run) with(d *disk, f func(image string)) {
	image := filepath.Join(r.dir, "image")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		r.Fatal(err)
	}
	ended, err := d.serve(image)
	if err != nil {
		r.Fatal(err)
	}
	defer func() {
		if err := unix.Unmount(image, unix.MNT_DETACH); err != nil {
			r.Error(err)
		}
		<-ended // the loop device lets go of the file when it is no longer mounted
	}()
	f(image)
}

// mounted calls f with the directory as which the image is mounted.
func (r *run) mounted(image, options string, f func(root string)) {
	root := filepath.Join(r.dir, "root")
	if err := os.MkdirAll(root, 0o700); err != nil {
		r.Fatal(err)
	}
	r.command("mount", "-t", "ext4", "-o", strings.TrimSuffix("loop,"+options, ","), image, root)
	defer r.command("umount", root)
	f(root)
}

func (r *run) command(name string, args ...string) {
	r.Helper()
	if out, err := exec.CommandContext(r.Context(), name, args...).CombinedOutput(); err != nil {
		r.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
