package main

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/ftp-operator/ftp-operator/test/bench/load"
	"github.com/ftp-operator/ftp-operator/test/bench/server"
)

// probe measures one server once. Its run returns values by metric.
type probe struct {
	group string
	run   func(b *bench, r *server.Running) (map[string]float64, error)
	// fits, if not nil, reports whether the probe applies to a server.
	fits func(k server.Kind) bool
	// once is true if the probe has no need of more than one round.
	once bool
	// logged is true if the probe also measures the peers with their transfer log.
	logged bool
}

// applies reports whether the probe measures a server.
func (p probe) applies(k server.Kind) bool {
	return (p.fits == nil || p.fits(k)) && (p.logged || !k.Logged)
}

const (
	manyLanes  = 16
	bulkLanes  = 4
	smallFiles = 1000 // the number of files of each size, which are fetched in turn
)

// probes returns the probes of a round, in order.
func probes() []probe {
	list := []probe{
		{group: "bulk", run: (*bench).fetchBulk},
		{group: "bulk", run: (*bench).fetchBulkAtOnce},
		{group: "bulk", run: (*bench).storeBulk},
		{group: "bulk", run: (*bench).storeBulkAtOnce},
	}
	list = append(list, clientProbes()...)
	for _, lanes := range []int{1, manyLanes} {
		for _, size := range smallSizes {
			id := fmt.Sprintf("-%dk", size) + laneSuffix(lanes)
			list = append(list,
				probe{group: "small", logged: size == 1, run: func(b *bench, r *server.Running) (map[string]float64, error) {
					return b.fetchSmall(r, "retr"+id, lanes, size)
				}},
				probe{group: "small", logged: size == 1, run: func(b *bench, r *server.Running) (map[string]float64, error) {
					return b.storeSmall(r, "stor"+id, lanes, size)
				}})
		}
	}
	for _, n := range listings {
		list = append(list,
			probe{group: "list", run: func(b *bench, r *server.Running) (map[string]float64, error) {
				return one(fmt.Sprintf("list-first-%d", n))(b.firstListings(r, "LIST", n))
			}},
			probe{group: "list", fits: func(k server.Kind) bool { return k.MLSD }, run: func(b *bench, r *server.Running) (map[string]float64, error) {
				return one(fmt.Sprintf("mlsd-first-%d", n))(b.firstListings(r, "MLSD", n))
			}},
			probe{group: "list", run: func(b *bench, r *server.Running) (map[string]float64, error) {
				return one(fmt.Sprintf("list-%d", n))(b.list(r, "LIST", n))
			}},
			probe{group: "list", fits: func(k server.Kind) bool { return k.MLSD }, run: func(b *bench, r *server.Running) (map[string]float64, error) {
				return one(fmt.Sprintf("mlsd-%d", n))(b.list(r, "MLSD", n))
			}})
	}
	for _, lanes := range []int{1, manyLanes} {
		list = append(list,
			probe{group: "login", run: func(b *bench, r *server.Running) (map[string]float64, error) {
				return costly(r, "login"+laneSuffix(lanes), func() (float64, int, error) { return b.login(r, lanes, nil) })
			}},
			probe{group: "tls", run: func(b *bench, r *server.Running) (map[string]float64, error) {
				return costly(r, "tls-login"+laneSuffix(lanes), func() (float64, int, error) { return b.login(r, lanes, secure(false)) })
			}})
	}
	list = append(list,
		probe{group: "tls", run: (*bench).fetchSecure},
		probe{group: "tls", run: (*bench).storeSecure})
	return append(list, callProbes()...)
}

func laneSuffix(lanes int) string {
	if lanes == 1 {
		return ""
	}
	return fmt.Sprintf("-%d", lanes)
}

// one returns a function that makes a single value the result of a probe.
func one(id string) func(float64, error) (map[string]float64, error) {
	return func(v float64, err error) (map[string]float64, error) { return map[string]float64{id: v}, err }
}

// costly returns a rate, and the CPU time of the server and of the load generator for each of what do has done, in
// microseconds.
func costly(r *server.Running, id string, do func() (rate float64, calls int, err error)) (map[string]float64, error) {
	rate, calls := 0.0, 0
	own := ownCPU()
	_, used, err := timed(r, func() (err error) {
		rate, calls, err = do()
		return err
	})
	own = ownCPU() - own
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(max(calls, 1)) }
	return map[string]float64{id: rate, id + "-cpu": each(used), id + "-client": each(own)}, err
}

// login logs in, with TLS if cfg is not nil.
func login(r *server.Running, cfg *tls.Config) (*load.Session, error) {
	a := account(r)
	if cfg != nil {
		a.Server = r.TLS
	}
	return load.Login(a, cfg)
}

func account(r *server.Running) load.Account {
	return load.Account{Server: r.Addr, User: server.User, Password: server.Password}
}

// secure returns a client's TLS configuration. Its key exchange is one that all servers support, so that all do the
// same work. If resume is true, data connections resume the control connection's session.
func secure(resume bool) *tls.Config {
	c := &tls.Config{
		InsecureSkipVerify: true, //nolint:gosec // who the server is does not matter here
		ServerName:         "localhost",
		CurvePreferences:   []tls.CurveID{tls.CurveP256},
	}
	if resume {
		c.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	}
	return c
}

// sessions opens n sessions for transfers.
func sessions(r *server.Running, n int, cfg func() *tls.Config) ([]*load.Session, func(), error) {
	var list []*load.Session
	end := func() {
		for _, s := range list {
			_ = s.Quit()
		}
	}
	for range n {
		s, err := login(r, cfg())
		if err == nil {
			list = append(list, s)
			err = s.Binary()
		}
		if err != nil {
			end()
			return nil, nil, err
		}
	}
	return list, end, nil
}

func inClear() *tls.Config                  { return nil }
func resuming() *tls.Config                 { return secure(true) }
func mbps(n int64, d time.Duration) float64 { return float64(n) / 1e6 / d.Seconds() }

// perGiB returns the CPU time per GiB, given that of n bytes.
func perGiB(used time.Duration, n int64) float64 { return used.Seconds() * float64(1<<30) / float64(n) }

// timed returns the time that do takes, and the CPU time of the server.
func timed(r *server.Running, do func() error) (took, used time.Duration, err error) {
	before, err := r.CPU()
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	if err := do(); err != nil {
		return 0, 0, err
	}
	took = time.Since(start)
	after, err := r.CPU()
	return took, after - before, err
}

func (b *bench) fetchBulk(r *server.Running) (map[string]float64, error) {
	return b.fetchOne(r, inClear, "retr", "retr-cpu")
}

func (b *bench) fetchSecure(r *server.Running) (map[string]float64, error) {
	return b.fetchOne(r, resuming, "tls-retr", "tls-retr-cpu")
}

func (b *bench) fetchOne(r *server.Running, cfg func() *tls.Config, speed, cost string) (map[string]float64, error) {
	list, end, err := sessions(r, 1, cfg)
	if err != nil {
		return nil, err
	}
	defer end()
	fetched := int64(0)
	took, used, err := timed(r, func() error {
		// One transfer takes a quarter of a second, during which other activity of the machine may disturb it.
		for begin := time.Now(); fetched == 0 || time.Since(begin) < b.while; fetched += b.size {
			if err := list[0].Fetch("RETR "+bulkFile, b.size); err != nil {
				return err
			}
		}
		return nil
	})
	return map[string]float64{speed: mbps(fetched, took), cost: perGiB(used, fetched)}, err
}

func (b *bench) fetchBulkAtOnce(r *server.Running) (map[string]float64, error) {
	list, end, err := sessions(r, bulkLanes, inClear)
	if err != nil {
		return nil, err
	}
	defer end()
	took, _, err := timed(r, func() error {
		return load.Lanes(bulkLanes, func(lane int) error { return list[lane].Fetch("RETR "+bulkFile, b.size) })
	})
	return map[string]float64{"retr4": mbps(bulkLanes*b.size, took)}, err
}

func (b *bench) storeBulk(r *server.Running) (map[string]float64, error) {
	return b.storeOne(r, inClear, "stor", "stor-cpu")
}

func (b *bench) storeSecure(r *server.Running) (map[string]float64, error) {
	return b.storeOne(r, resuming, "tls-stor", "tls-stor-cpu")
}

func (b *bench) storeOne(r *server.Running, cfg func() *tls.Config, speed, cost string) (map[string]float64, error) {
	took, used, err := b.store(r, 1, b.size, cfg)
	return map[string]float64{speed: mbps(b.size, took), cost: perGiB(used, b.size)}, err
}

// storeBulkAtOnce stores as many bytes in total as storeBulk: more data that is not on disk yet would slow the
// machine down.
func (b *bench) storeBulkAtOnce(r *server.Running) (map[string]float64, error) {
	took, _, err := b.store(r, bulkLanes, b.size/bulkLanes, inClear)
	return map[string]float64{"stor4": mbps(b.size, took)}, err
}

func (b *bench) store(r *server.Running, lanes int, size int64, cfg func() *tls.Config) (took, used time.Duration, err error) {
	list, end, err := sessions(r, lanes, cfg)
	if err != nil {
		return 0, 0, err
	}
	defer end()
	source, err := os.Open(filepath.Join(b.site.Files, bulkFile))
	if err != nil {
		return 0, 0, err
	}
	defer source.Close() //nolint:errcheck // it was only read
	err = b.inUploads(false, func(dir string) (err error) {
		took, used, err = timed(r, func() error {
			return load.Lanes(lanes, func(lane int) error {
				return list[lane].StoreFile(fmt.Sprintf("%s/%d", dir, lane), source, size)
			})
		})
		return err
	})
	return took, used, err
}

// fetchSmall fetches small files; the sessions are logged in before anything is measured.
func (b *bench) fetchSmall(r *server.Running, id string, lanes, kib int) (map[string]float64, error) {
	list, end, err := sessions(r, lanes, inClear)
	if err != nil {
		return map[string]float64{id: 0}, err
	}
	defer end()
	return costly(r, id, func() (float64, int, error) {
		return load.Repeat(list, b.while, load.Job{Bytes: int64(kib) << 10, Name: func(name []byte, lane, i int) []byte {
			return append(name, smallNames[kib][(lane*61+i)%smallFiles]...)
		}})
	})
}

// smallNames are the names of the small files, by their size in KiB.
var smallNames = func() map[int][]string {
	names := map[int][]string{}
	for _, kib := range smallSizes {
		for i := range smallFiles {
			names[kib] = append(names[kib], smallFile(kib, i))
		}
	}
	return names
}()

// storeSmall stores small files, likewise.
func (b *bench) storeSmall(r *server.Running, id string, lanes, kib int) (values map[string]float64, err error) {
	list, end, err := sessions(r, lanes, inClear)
	if err != nil {
		return map[string]float64{id: 0}, err
	}
	defer end()
	err = b.inUploads(true, func(dir string) (err error) {
		job := load.Job{Data: make([]byte, kib<<10), Most: mostStored(kib) / lanes, Name: func(name []byte, lane, i int) []byte {
			name = append(append(name, dir...), '/')
			name = append(strconv.AppendInt(name, int64(lane), 10), '-')
			return strconv.AppendInt(name, int64(i), 10)
		}}
		values, err = costly(r, id, func() (float64, int, error) { return load.Repeat(list, b.while, job) })
		return err
	})
	return values, err
}

// list returns the median time, in milliseconds, of several listings in one session.
func (b *bench) list(r *server.Running, verb string, n int) (float64, error) {
	list, end, err := sessions(r, 1, inClear)
	if err != nil {
		return 0, err
	}
	defer end()
	// All servers handle a listing without an argument in the same way.
	if err := list[0].Command("CWD "+listDir(n), "250"); err != nil {
		return 0, err
	}
	var times []float64
	for begin := time.Now(); len(times) < 3 || time.Since(begin) < b.while; {
		start := time.Now()
		if err := list[0].Fetch(verb, int64(n)); err != nil {
			return 0, err
		}
		times = append(times, float64(time.Since(start).Microseconds())/1000)
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

func (b *bench) login(r *server.Running, lanes int, cfg *tls.Config) (rate float64, calls int, err error) {
	if cfg == nil {
		return load.Logins(account(r), lanes, b.while)
	}
	return load.Rate(lanes, b.while, func(int, int) error {
		s, err := login(r, cfg)
		if err != nil {
			return err
		}
		return s.Quit()
	})
}
