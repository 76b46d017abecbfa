package main

import (
	"fmt"
	"time"

	"github.com/ftp-operator/ftp-operator/test/bench/calls"
	"github.com/ftp-operator/ftp-operator/test/bench/load"
	"github.com/ftp-operator/ftp-operator/test/bench/server"
)

const (
	// tracedFiles and tracedLogins are the numbers of operations whose system calls are counted. A login of ProFTPD takes
	// a tenth of a second.
	tracedFiles, tracedLogins = 100, 40
	// patience is the time in which files must have been moved.
	patience = time.Minute
)

// callProbes returns the probes that count system calls.
func callProbes() []probe {
	var list []probe
	for _, tt := range []struct {
		id  string
		job load.Job
	}{{"retr-1k", load.Job{Bytes: 1 << 10}}, {"stor-1k", load.Job{Data: make([]byte, 1<<10)}}} {
		list = append(list, probe{group: "calls", once: true, run: func(b *bench, r *server.Running) (map[string]float64, error) {
			return b.countCalls(r, tt.id, tracedFiles, func(dir string, n int) (func(), error) { return b.moveSome(r, dir, n, tt.job) })
		}})
	}
	return append(list, probe{group: "calls", once: true, run: func(b *bench, r *server.Running) (map[string]float64, error) {
		return b.countCalls(r, "login", tracedLogins, func(_ string, n int) (func(), error) { return b.enterSome(r, n) })
	}})
}

// countCalls counts the system calls of an operation, of which many are made. do makes n of them and returns a function
// that ends its sessions, which is no part of what is counted.
func (b *bench) countCalls(r *server.Running, id string, many int, do func(dir string, n int) (end func(), err error)) (map[string]float64, error) {
	var counts calls.Counts
	var ends []func()
	defer func() {
		for _, end := range ends {
			end()
		}
	}()
	err := b.inUploads(true, func(dir string) (err error) {
		counts, err = calls.PerOperation(r.PIDs, many, func(n int) error {
			end, err := do(dir, n)
			if end != nil {
				ends = append(ends, end)
			}
			return err
		})
		return err
	})
	b.say("%-18s %-14s %v", id, r.Name, counts)
	return map[string]float64{id + "-calls": counts.All(), id + "-calls-work": counts.Work()}, err
}

// moveSome has one session do a job n times.
func (b *bench) moveSome(r *server.Running, dir string, n int, job load.Job) (func(), error) {
	list, end, err := sessions(r, 1, inClear)
	if err != nil {
		return nil, err
	}
	job.Most = n
	job.Name = func(name []byte, _, i int) []byte {
		if job.Data == nil {
			return append(name, singleFile...)
		}
		return fmt.Appendf(name, "%s/%d-%d", dir, n, i)
	}
	_, moved, err := load.Repeat(list, patience, job)
	if err == nil && moved != n {
		err = fmt.Errorf("%d of %d files were moved in %v", moved, n, patience)
	}
	return end, err
}

// enterSome logs in n times.
func (b *bench) enterSome(r *server.Running, n int) (func(), error) {
	var open []*load.Session
	end := func() {
		for _, s := range open {
			_ = s.Quit()
		}
	}
	for range n {
		s, err := login(r, nil)
		if err != nil {
			return end, err
		}
		open = append(open, s)
	}
	return end, nil
}
