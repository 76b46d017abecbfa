package main

import (
	"context"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ftp-operator/ftp-operator/test/bench/load"
	"github.com/ftp-operator/ftp-operator/test/bench/server"
)

// rawArgument is the argument that makes this program the raw server.
const rawArgument = "raw"

// These are the metrics of the raw server, whose name in the results is limitServer.
const (
	limitServer = "raw"
	rawDown     = "raw-down"
	rawDown4    = "raw-down4"
	rawUp       = "raw-up"
	rawDownCPU  = "raw-down-cpu"   // of the server
	rawLoadCPU  = "raw-load-cpu"   // of the load generator, downwards
	rawLoadUp   = "raw-load-upcpu" // and upwards
)

// limits measures what the kernel can do without a file server, with the same load generator.
func (b *bench) limits(ctx context.Context) error {
	r, err := server.StartRaw(ctx, b.site, filepath.Join(b.site.Files, bulkFile), filepath.Join(b.site.Work, "raw"))
	if err != nil {
		return err
	}
	defer r.Stop() //nolint:errcheck // the next one would fail, too
	if b.wants("bulk") {
		if err := b.bulkLimits(r); err != nil {
			return err
		}
	}
	if b.wants("small") {
		return b.smallLimits(r.Small)
	}
	return nil
}

// smallLimits measures small files with a server that does nothing else; see serveRawFiles.
func (b *bench) smallLimits(r *server.Running) error {
	for _, lanes := range []int{1, manyLanes} {
		for verb, do := range map[string]func(*server.Running, string, int, int) (map[string]float64, error){"retr": b.fetchSmall, "stor": b.storeSmall} {
			values, err := do(r, verb+"-1k"+laneSuffix(lanes), lanes, 1)
			if err != nil {
				return err
			}
			for id, v := range values {
				b.results.add(id, limitServer, v)
			}
		}
	}
	return nil
}

// bulkLimits measures sendfile to one connection and to several, and splice into a file, without a protocol.
func (b *bench) bulkLimits(r *server.Raw) error {
	own := ownCPU()
	took, used, err := timed(r.Running, func() error { return load.RawFetch(r.Addr, b.size) })
	if err != nil {
		return err
	}
	b.results.add(rawDown, limitServer, mbps(b.size, took))
	b.results.add(rawDownCPU, limitServer, perGiB(used, b.size))
	b.results.add(rawLoadCPU, limitServer, perGiB(ownCPU()-own, b.size))
	took, _, err = timed(r.Running, func() error {
		return load.Lanes(bulkLanes, func(int) error { return load.RawFetch(r.Addr, b.size) })
	})
	if err != nil {
		return err
	}
	b.results.add(rawDown4, limitServer, mbps(bulkLanes*b.size, took))
	own = ownCPU()
	took, _, err = timed(r.Running, func() error {
		return load.RawStore(r.Up, filepath.Join(b.site.Files, bulkFile), b.size)
	})
	if err != nil {
		return err
	}
	b.results.add(rawUp, limitServer, mbps(b.size, took))
	b.results.add(rawLoadUp, limitServer, perGiB(ownCPU()-own, b.size))
	return nil
}

// ownCPU returns the CPU time that this process has used so far.
func ownCPU() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
