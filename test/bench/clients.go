package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/ftp-operator/ftp-operator/test/bench/server"
)

// The load generator throws away what it receives within the kernel. A real client copies it, and so leaves less of the
// machine to the server: these rows show what its user sees.

// client is a program that transfers the big file.
type client struct {
	name string
	// fetch and store return the commands that download the file, and upload it into a directory.
	fetch func(url string) *exec.Cmd
	store func(url, dir, file string) *exec.Cmd
}

var clients = []client{
	{
		name: "curl",
		fetch: func(url string) *exec.Cmd {
			return exec.Command("curl", "--silent", "--show-error", "--output", "/dev/null", url+"/"+bulkFile)
		},
		store: func(url, dir, file string) *exec.Cmd {
			return exec.Command("curl", "--silent", "--show-error", "--upload-file", file, url+"/"+dir+"/"+bulkFile)
		},
	},
	{
		name: "lftp",
		fetch: func(url string) *exec.Cmd {
			return lftp(url, "get "+bulkFile+" -o /dev/null")
		},
		store: func(url, dir, file string) *exec.Cmd {
			return lftp(url, "put -O "+dir+" "+file)
		},
	},
}

// lftp returns the command that has lftp do one thing, without the configuration of a user.
func lftp(url, do string) *exec.Cmd {
	cmd := exec.Command("lftp", "--norc", "-e", "set ftp:ssl-allow no; set xfer:clobber yes; set cmd:fail-exit yes; "+do+"; bye", url)
	cmd.Env = append(cmd.Environ(), "HOME=/nonexistent")
	return cmd
}

// clientProbes returns the probes of real clients.
func clientProbes() []probe {
	var list []probe
	for _, c := range clients {
		list = append(list,
			probe{group: "clients", run: func(b *bench, r *server.Running) (map[string]float64, error) {
				return one(c.name + "-retr")(b.byClient(c.fetch(urlOf(r))))
			}},
			probe{group: "clients", run: func(b *bench, r *server.Running) (map[string]float64, error) {
				rate := 0.0
				err := b.inUploads(false, func(dir string) (err error) {
					rate, err = b.byClient(c.store(urlOf(r), dir, filepath.Join(b.site.Files, bulkFile)))
					return err
				})
				return map[string]float64{c.name + "-stor": rate}, err
			}})
	}
	return list
}

func urlOf(r *server.Running) string {
	return fmt.Sprintf("ftp://%s:%s@%s", server.User, server.Password, r.Addr)
}

// byClient runs a command that transfers the big file, and returns the MB/s from its start to its end.
func (b *bench) byClient(cmd *exec.Cmd) (float64, error) {
	start := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(start)
	if err != nil {
		return 0, fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, strings.TrimSpace(string(out)))
	}
	return mbps(b.size, took), nil
}
