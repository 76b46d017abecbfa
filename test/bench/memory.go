package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ftp-operator/ftp-operator/test/bench/load"
	"github.com/ftp-operator/ftp-operator/test/bench/server"
)

const (
	// fillTime is the time in which a server must accept all idle sessions.
	fillTime = 90 * time.Second
	// spareMemory is the memory, in bytes, that the machine keeps free: a server is not measured if it would use
	// more.
	spareMemory = 2 << 30
)

// memory measures the memory of one idle session: the memory of the server's processes with the sessions, minus that
// without them, divided by their number. Each server is started for this measurement and stopped after it.
func (b *bench) memory(ctx context.Context, k server.Kind, counts []int) (err error) {
	r, err := k.Start(ctx, b.site)
	if err != nil {
		return err
	}
	var open []*load.Session
	defer func() {
		for _, s := range open {
			_ = s.Close()
		}
		if err2 := r.Stop(); err == nil {
			err = err2
		}
	}()
	warm, err := login(r, nil)
	if err != nil {
		return err
	}
	if err := warm.Quit(); err != nil {
		return err
	}
	base, _, err := settled(ctx, r)
	if err != nil {
		return err
	}
	for _, n := range counts {
		id := fmt.Sprintf("memory-%d", n)
		more, problem := fill(ctx, r, n-len(open))
		open = append(open, more...)
		if problem != nil {
			b.results.note(id, k.Name, fmt.Sprintf("%d: %v", len(open), problem))
			return nil
		}
		used, processes, err := settled(ctx, r)
		if err != nil {
			return err
		}
		b.say("%-18s %-14s %d sessions: %d MiB in %d processes", id, k.Name, n, used>>20, processes)
		b.results.add(id, k.Name, float64(used-base)/1024/float64(n))
	}
	return nil
}

// fill logs in n times and keeps the sessions idle.
func fill(ctx context.Context, r *server.Running, n int) (open []*load.Session, problem error) {
	ctx, cancel := context.WithTimeoutCause(ctx, fillTime, fmt.Errorf("no more after %v", fillTime))
	defer cancel()
	perLane := make([][]*load.Session, manyLanes)
	var left atomic.Int64
	left.Store(int64(n))
	problem = load.Lanes(manyLanes, func(lane int) error {
		for i := 0; left.Add(-1) >= 0; i++ {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if i%64 == 0 && available() < spareMemory {
				return fmt.Errorf("the machine has less than %d GiB left", spareMemory>>30)
			}
			s, err := login(r, nil)
			if err != nil {
				left.Store(0) // the other lanes stop, too
				return err
			}
			perLane[lane] = append(perLane[lane], s)
		}
		return nil
	})
	for _, list := range perLane {
		open = append(open, list...)
	}
	return open, problem
}

// settled returns the memory of a server when it no longer changes much, or after eight tries.
func settled(ctx context.Context, r *server.Running) (pss int64, processes int, err error) {
	const pause, tries = time.Second, 8
	var last int64
	for range tries {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		}
		if pss, processes, err = r.PSS(); err != nil {
			return 0, 0, err
		}
		if diff := pss - last; diff < pss/200 && -diff < pss/200 {
			break
		}
		last = pss
	}
	return pss, processes, nil
}

// available returns the memory, in bytes, that the machine has available.
func available() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			n, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return n << 10
		}
	}
	return 0
}
