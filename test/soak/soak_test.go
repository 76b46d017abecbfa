// Package soak keeps a daemon under load for a given time. Hundreds of clients upload, download, resume, append,
// list, rename and delete, and abort, stall and vanish, with every mode of data connection, with and without TLS,
// over ten passive ports. Meanwhile configurations and certificates change and strangers connect. Every byte is
// compared. At the end the daemon must hold no more than at the beginning: no session, port, goroutine, descriptor or
// temporary file, and no memory.
//
//	make soak DURATION=30m CLIENTS=300 RACE=1
package soak

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

var (
	duration = flag.Duration("duration", 20*time.Second, "how long the load lasts")
	clients  = flag.Int("clients", 60, "how many clients there are")
	race     = flag.Bool("race-daemon", false, "build the daemon with the race detector")
	stall    = flag.Duration("stall", 10*time.Second, "how long the daemon waits for data connections that stand still; longer on a busy machine, where they may only seem to")
	seed     = flag.Uint64("seed", 0, "of all that is chosen by chance; 0: any")
)

// maxSize is the largest file size, in bytes.
const maxSize = 2 << 20

// program is the path of the daemon's binary, built once.
var program string

func TestMain(m *testing.M) {
	flag.Parse()
	ftpclient.DefaultPatience = patience
	os.Exit(build(m))
}

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ftpd-soak-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "ftpd")
	cmd := exec.Command("go", "build", fmt.Sprintf("-race=%v", *race), "-o", program, "../../cmd/ftpd")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building ftpd: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// soak is a running load.
type soak struct {
	daemon *daemon
	plan   plan
	ending chan struct{} // closed when nothing new may start
	people []*client
	// draining is true once the daemon has been told to end.
	draining atomic.Bool

	uploaded, downloaded, uploads atomic.Int64 // bytes acknowledged, bytes compared, transfers acknowledged

	mu       sync.Mutex
	counts   map[string]int
	failures []string
}

func newSoak(d *daemon, p plan) *soak {
	return &soak{daemon: d, plan: p, ending: make(chan struct{}), counts: map[string]int{}}
}

func (s *soak) over() bool {
	select {
	case <-s.ending:
		return true
	default:
		return false
	}
}

func (s *soak) count(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[name]++
}

func (s *soak) acknowledged(n int64) { s.uploaded.Add(n); s.uploads.Add(1) }
func (s *soak) compared(n int64)     { s.downloaded.Add(n) }

// fail records a failure; the load goes on.
func (s *soak) fail(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, time.Now().Format("15:04:05.000 ")+fmt.Errorf(format, args...).Error())
}

// crowd creates clients. Every tenth is a victim.
func (s *soak) crowd(n int, seed uint64) {
	for i := range n {
		c := &client{
			soak: s, id: i, user: ordinary, chance: rand.New(rand.NewPCG(seed, uint64(i))), //nolint:gosec // to be foreseen
			files: map[string][]version{}, retired: map[string]retired{},
		}
		if i%10 == 9 {
			c.user = victim
		}
		s.people = append(s.people, c)
	}
}

// pause waits for a time d, or until end is closed.
func pause(ctx context.Context, end <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-end:
	}
}

func chosenSeed(t *testing.T) uint64 {
	n := *seed
	if n == 0 {
		n = rand.Uint64() //nolint:gosec // no secret
	}
	t.Logf("seed %d", n)
	return n
}

func TestSoak(t *testing.T) {
	d := start(t)
	n := chosenSeed(t)
	warm := newSoak(d, calm) // creates what is created once and then kept
	warm.crowd(10, n)
	warm.run(t, 2*time.Second, n)
	warm.check(t)
	before := given(t, d, holdings{goroutines: 1 << 20, descriptors: 1 << 20, heap: 1 << 30})
	t.Logf("before: %+v", before)

	s := newSoak(d, wild)
	s.people = warm.people // whose files exist
	for _, c := range s.people {
		c.soak = s
	}
	s.crowd(*clients-len(s.people), n+1)
	for i, c := range s.people {
		c.id = i
	}
	s.run(t, *duration, n)
	s.check(t)
	after := given(t, d, before)
	t.Logf("after:  %+v", after)
	if temps, err := d.temporary(); err != nil || len(temps) > 0 {
		t.Errorf("temporary files are left: %q, %v", temps, err)
	}
}

// given waits until the daemon holds no more than before.
func given(t *testing.T, d *daemon, before holdings) holdings {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		h, err := d.holds(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		leaks := h.leaks(before)
		if leaks == "" {
			return h
		}
		if time.Now().After(deadline) {
			t.Errorf("it does not give back what it holds: %s", leaks)
			return h
		}
		pause(t.Context(), nil, 500*time.Millisecond)
	}
}

// run keeps up the load for a time d, and lets running operations complete.
func (s *soak) run(t *testing.T, d time.Duration, seed uint64) {
	t.Helper()
	var running sync.WaitGroup
	for _, c := range s.people {
		running.Go(func() { c.run(t.Context()) })
	}
	chance := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1<<32+n)) } //nolint:gosec // to be foreseen
	running.Go(func() { s.meddle(t.Context(), chance(0)) })
	for i := range 3 {
		running.Go(func() { s.intrude(t.Context(), chance(uint64(i)+1)) }) //nolint:gosec // not negative
	}
	running.Go(func() { s.watch(t) })
	pause(t.Context(), nil, d)
	close(s.ending)
	running.Wait()
}

// watch reports the progress now and then.
func (s *soak) watch(t *testing.T) {
	for began := time.Now(); !s.over(); pause(t.Context(), s.ending, max(10*time.Second, *duration/30)) {
		m, err := s.daemon.scrape(t.Context())
		if err != nil {
			if t.Context().Err() == nil {
				s.fail("scrape: %w", err)
			}
			continue
		}
		t.Logf("%5.0f s: %3.0f sessions, %3.0f transfers, %4.0f goroutines, %4.0f descriptors, heap %5.1f MiB, resident %5.1f MiB; %d MiB up, %d MiB down",
			time.Since(began).Seconds(), m.sum("ftp_sessions"), m.sum("ftp_transfers_active"), m.sum("go_goroutines"), m.sum("process_open_fds"),
			m.sum("go_memstats_heap_alloc_bytes")/(1<<20), m.sum("process_resident_memory_bytes")/(1<<20),
			s.uploaded.Load()>>20, s.downloaded.Load()>>20)
	}
}

// check reports failures, and compares the files on disk with the expected ones.
func (s *soak) check(t *testing.T) {
	t.Helper()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.counts)) {
		fmt.Fprintf(&b, "%s %d, ", name, s.counts[name])
	}
	t.Logf("%s%d MiB uploaded, %d MiB downloaded", b.String(), s.uploaded.Load()>>20, s.downloaded.Load()>>20)
	const most = 30
	for i, f := range s.failures {
		if i == most {
			t.Errorf("and %d failures more", len(s.failures)-most)
			break
		}
		t.Error(f)
	}
	for _, c := range s.people {
		c.checkDisk(t)
	}
}

// checkDisk compares the client's directory with its expected contents.
func (c *client) checkDisk(t *testing.T) {
	t.Helper()
	dir := filepath.Join(c.soak.daemon.root, c.user, c.dir())
	entries, err := os.ReadDir(dir)
	if err != nil && (c.made || !os.IsNotExist(err)) {
		t.Error(err)
		return
	}
	expected := maps.Clone(c.files)
	for name, r := range c.retired {
		expected[name] = r.versions
	}
	for _, e := range entries {
		versions := expected[e.Name()]
		delete(expected, e.Name())
		if err := c.checkFile(filepath.Join(dir, e.Name()), versions); err != nil {
			t.Errorf("client %d: on disk: %s: %v; it may be %v", c.id, e.Name(), err, versions)
		}
	}
	for name, versions := range expected {
		if !slices.Contains(versions, absent) {
			t.Errorf("client %d: %s is not on disk; it must be one of %v", c.id, name, versions)
		}
	}
}

func (c *client) checkFile(file string, versions []version) error {
	f, err := os.Open(file) //nolint:gosec // a test's own
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	seen := compare(versions, 0)
	if _, err = io.Copy(struct{ io.Writer }{seen}, f); err != nil {
		return err
	}
	_, err = seen.end()
	return err
}
