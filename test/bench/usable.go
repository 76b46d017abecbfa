package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/ftp-operator/ftp-operator/test/bench/server"
)

// usable returns an error if something is missing that is needed before the run ends: it takes long, and would fail then.
// Each error names the variable of make bench, and what to do.
func (o *options) usable() error {
	for _, check := range []func() error{o.numbers, o.page, o.folder, o.programs} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (o *options) numbers() error {
	switch {
	case o.rounds < 1:
		return fmt.Errorf("ROUNDS (-rounds) is %d: it must be at least 1, and 7 for results to publish", o.rounds)
	case o.size < 4<<20:
		return fmt.Errorf("SIZE (-size) is %d: the big file must have at least 4 MiB", o.size>>20)
	case o.while <= 0:
		return fmt.Errorf("-while is %v: a sample must take some time", o.while)
	}
	return nil
}

// page checks that the report can be written.
func (o *options) page() error {
	if o.out == "" {
		return nil
	}
	text, err := os.ReadFile(o.out)
	if err == nil {
		_, err = replaceMeasured(string(text), "")
	}
	if err == nil {
		var f *os.File
		if f, err = os.OpenFile(o.out, os.O_WRONLY, 0); err == nil {
			err = f.Close()
		}
	}
	if err != nil {
		return fmt.Errorf("OUT (-out) %s: %w; name a page like docs/benchmarks.md, or none (OUT=) to only print the report", o.out, err)
	}
	return nil
}

// folder checks that the files have a place, and that it has space for them.
func (o *options) folder() error {
	info, err := os.Stat(o.dir)
	if err == nil && !info.IsDir() {
		err = errors.New("it is no folder")
	}
	if err != nil {
		return fmt.Errorf("DIR (-dir) %s: %w; name a folder that exists, or none for a file system of its own", o.dir, err)
	}
	bytes, inodes := o.needs()
	for _, place := range []struct{ title, path string }{{"DIR (-dir)", o.dir}, {"TMPDIR (-image)", o.image}} {
		if place.path == "" {
			continue
		}
		var s unix.Statfs_t
		if err := unix.Statfs(place.path, &s); err != nil {
			return fmt.Errorf("%s %s: %w", place.title, place.path, err)
		}
		const remedy = "name another folder, fewer ROUNDS, a smaller SIZE, or some ROWS"
		if free := int64(s.Bavail) * int64(s.Bsize); free < bytes { //nolint:unconvert // of other types on other architectures
			return fmt.Errorf("%s %s: %d MiB are free, and up to %d are needed; %s", place.title, place.path, free>>20, bytes>>20, remedy)
		}
		// Some file systems have no bound, and say 0.
		if s.Files > 0 && place.path == o.dir && int64(s.Ffree) < inodes {
			return fmt.Errorf("%s %s: %d more files fit, and up to %d are needed; %s", place.title, place.path, s.Ffree, inodes, remedy)
		}
	}
	return nil
}

// needs returns how many bytes and files a run makes at most: those that are served, as much again for an upload of the
// big file and for that of the raw server, and small uploads, which are kept until the end.
func (o *options) needs() (bytes, files int64) {
	const block = 4 << 10 // what a small file takes at least
	kept := func(kib int) (int64, int64) {
		n := int64(2 * mostStored(kib)) // by one session and by many
		return n * max(block, int64(kib)<<10), n
	}
	bytes, files = 3*o.size, 1000
	for _, kib := range smallSizes {
		bytes += smallFiles * max(block, int64(kib)<<10)
		files += smallFiles
	}
	for _, n := range listings {
		files += int64(n)
	}
	if !slices.Contains(o.rows, "small") {
		return bytes, files
	}
	count := func(kib, servers int) {
		b, f := kept(kib)
		bytes, files = bytes+b*int64(servers*o.rounds), files+f*int64(servers*o.rounds)
	}
	all, logged := 0, 0
	for _, k := range o.kinds() {
		if all++; k.Logged {
			logged++
		}
	}
	count(1, all+1) // the raw server, too
	count(64, all-logged)
	return bytes, files
}

// programs checks that what is to be run is there.
func (o *options) programs() error {
	for name, path := range map[string]string{"-ftpd": o.ftpd, "BASE (-base)": o.base} {
		if _, err := os.Stat(path); path != "" && err != nil {
			return fmt.Errorf("%s %s: %w; make bench builds it", name, path, err)
		}
	}
	for group, names := range map[string][]string{"clients": {"curl", "lftp"}, "calls": {"strace"}} {
		for _, name := range names {
			if _, err := exec.LookPath(name); err != nil && slices.Contains(o.rows, group) {
				return fmt.Errorf("ROWS (-rows) has %s: %w; make bench installs it on Debian, or leave that out", group, err)
			}
		}
	}
	if o.peers == "" {
		return nil
	}
	for _, k := range o.kinds() {
		if err := k.Installed(server.Site{Peers: o.peers}); err != nil {
			return err
		}
	}
	return nil
}
