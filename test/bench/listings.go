package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/ftp-operator/ftp-operator/test/bench/server"
)

const (
	// copies is the number of directories of each size of which each one is listed once in a turn.
	copies = 4
	// forgotten is the time after which a server takes a listing for the first one of its directory. The daemon keeps nothing for longer
	// than facts.MaxAge.
	forgotten = 11 * time.Second
)

// listCopy is the name of a directory with n entries that only this verb lists.
func listCopy(verb string, n, i int) string { return fmt.Sprintf("first-%s-%d-%d", verb, n, i) }

// makeListings creates the directories that are listed.
func makeListings(root string) error {
	for _, n := range listings {
		names := []string{listDir(n)}
		for i := range copies {
			names = append(names, listCopy("LIST", n, i), listCopy("MLSD", n, i))
		}
		for _, name := range names {
			if err := makeDir(root, name); err != nil {
				return err
			}
			for i := range n {
				if err := randomFile(filepath.Join(root, name, fmt.Sprintf("report-2026-%06d.csv", i)), 0); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// firstListings returns the median time, in milliseconds, of listings of directories that the server has not listed
// for a while.
func (b *bench) firstListings(r *server.Running, verb string, n int) (float64, error) {
	list, end, err := sessions(r, 1, inClear)
	if err != nil {
		return 0, err
	}
	defer end()
	of := r.Name + " " + verb + fmt.Sprint(n)
	time.Sleep(time.Until(b.listed[of].Add(forgotten)))
	defer func() { b.listed[of] = time.Now() }()
	var times []float64
	for i := range copies {
		if err := list[0].Command("CWD /"+listCopy(verb, n, i), "250"); err != nil {
			return 0, err
		}
		start := time.Now()
		if err := list[0].Fetch(verb, int64(n)); err != nil {
			return 0, err
		}
		times = append(times, float64(time.Since(start).Microseconds())/1000)
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}
