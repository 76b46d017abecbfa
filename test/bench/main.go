// Command bench measures the daemon and other FTP servers, alternately in one run, and writes the report.
// The script bench.sh of the folder hack prepares what it needs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ftp-operator/ftp-operator/test/bench/server"
)

func main() {
	if len(os.Args) == 7 && os.Args[1] == rawArgument {
		fmt.Fprintln(os.Stderr, serveRaw(os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6]))
		os.Exit(1)
	}
	// The servers must be stopped first, whichever signal ends this program.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1) //nolint:gocritic // nothing else is deferred
	}
}

// options are the values of the flags.
type options struct {
	peers, ftpd, dir, out string
	image                 string // the folder in which the file system of dir lies
	check                 bool   // nothing is measured
	base, baseName        string
	rounds                int
	size                  int64 // bytes
	while                 time.Duration
	rows, servers         []string
	sessions              []int
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.peers, "peers", "", "the `DIR` with the other servers' unpacked packages")
	flags.StringVar(&o.ftpd, "ftpd", "", "the daemon's `BINARY`")
	flags.StringVar(&o.base, "base", "", "the `BINARY` of the daemon at another commit, to compare with pair by pair; default: none")
	flags.StringVar(&o.baseName, "base-name", "base", "the `COMMIT` of that")
	flags.StringVar(&o.dir, "dir", os.TempDir(), "where the files that are served lie: a directory of its own is made in `DIR`, and removed")
	flags.StringVar(&o.image, "image", "", "the folder in which an image with the file system of -dir lies; default: there is none")
	flags.BoolVar(&o.check, "check", false, "only look whether the other flags can be used")
	flags.StringVar(&o.out, "out", "", "the report: the measured part of `FILE` is replaced; default: it is only printed")
	flags.IntVar(&o.rounds, "rounds", 7, "how often every server has its turn")
	mib := flags.Int64("size", 1024, "size of the big file in `MiB`")
	flags.DurationVar(&o.while, "while", time.Second, "how long each sample takes at least, but for uploads and downloads of several at a time")
	rows := flags.String("rows", "all", "what to measure: all, or some of "+strings.Join(groups, ","))
	var names []string
	for _, k := range server.All {
		names = append(names, k.Name)
	}
	servers := flags.String("servers", "all", "whom to measure: all, or some of "+strings.Join(names, ","))
	idle := flags.Int("idle", 10000, "the most idle sessions whose memory is measured; the other number is 1000")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.size = *mib << 20
	if o.rows, err = choose("rows", *rows, groups); err != nil {
		return o, err
	}
	if o.servers, err = choose("servers", *servers, names); err != nil {
		return o, err
	}
	for _, n := range []int{1000, 10000} {
		if n <= *idle {
			o.sessions = append(o.sessions, n)
		}
	}
	err = o.usable()
	return o, err
}

// choose parses a comma-separated list of known words; "all" means all of them. A server whose name contains a comma
// can't be chosen alone: it is chosen together with the server whose name is the part before the comma.
func choose(flag, text string, known []string) ([]string, error) {
	if text == "all" {
		return known, nil
	}
	var chosen []string
	for word := range strings.SplitSeq(text, ",") {
		found := false
		for _, k := range known {
			first, _, _ := strings.Cut(k, ",")
			if strings.EqualFold(first, word) {
				chosen, found = append(chosen, k), true
			}
		}
		if !found {
			return nil, fmt.Errorf("%s (-%s): %q is not known; write all, or some of %s", strings.ToUpper(flag), flag, word, strings.Join(known, ","))
		}
	}
	return chosen, nil
}

func run(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil || o.check {
		return err
	}
	// A lane blocks its thread, and with it one of these, while it waits; see package load.
	runtime.GOMAXPROCS(64)
	debug.SetGCPercent(1000)
	if err := manyFiles(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.dir, "ftp-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b, err := prepare(o, dir)
	if err != nil {
		return err
	}
	started := time.Now()
	if err := b.measure(ctx); err != nil {
		return err
	}
	return b.report(time.Since(started))
}

// manyFiles raises the limit of open files, which the servers inherit, to what idle sessions need, or as far as
// possible.
func manyFiles() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("bound of open files: %w", err)
	}
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("raise the bound of open files: %w", err)
	}
	return nil
}

// bench is one run of the benchmark.
type bench struct {
	options
	site     server.Site
	results  *results
	versions map[string]string    // the servers' versions
	tls      map[string]string    // the TLS versions that were negotiated with the servers
	listed   map[string]time.Time // when a server has ended its first listings of a kind
}

func prepare(o options, dir string) (*bench, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, results: newResults(), versions: map[string]string{}, tls: map[string]string{}, listed: map[string]time.Time{}}
	b.site = server.Site{
		Files: filepath.Join(dir, "files"), Work: filepath.Join(dir, "work"),
		Peers: o.peers, Ftpd: o.ftpd, Self: self,
	}
	for _, d := range []string{dir, b.site.Files, b.site.Work} {
		if err := os.MkdirAll(d, 0o755); err != nil { //nolint:gosec // servers enter it as nobody
			return nil, err
		}
		if err := os.Chmod(d, 0o755); err != nil { //nolint:gosec // as above
			return nil, err
		}
	}
	if b.site.Cert, b.site.Key, err = makeCertificate(b.site.Work); err != nil {
		return nil, err
	}
	b.say("making the files that are served, in %s", b.site.Files)
	return b, makeFiles(b.site.Files, o.size)
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// kinds returns the chosen servers.
func (o *options) kinds() []server.Kind {
	kinds := slices.DeleteFunc(slices.Clone(server.All), func(k server.Kind) bool {
		return !slices.Contains(o.servers, k.Name) || k.Logged && !slices.Contains(o.rows, "small")
	})
	if o.base != "" {
		kinds = append(kinds, server.Base(o.baseName, o.base)...)
	}
	return kinds
}

func (b *bench) wants(group string) bool { return slices.Contains(b.rows, group) }
