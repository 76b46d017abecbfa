// Command ftpd is the FTP daemon. --help explains its flags, and package ftpd/config its configuration file.
//
// Begin reading at serve, which connects the parts: ftpd serves FTP, ftpd/metrics counts, ftpd/manage is the
// management API, ftpd/httpbound limits HTTP connections, ftpd/budget finds the resources, and ftpd/config watches
// the file.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/ftp-operator/ftp-operator/ftpd"
	"github.com/ftp-operator/ftp-operator/internal/version"
)

func main() {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "hash" {
		signal.Reset() // the default action is right: nothing must be shut down
		os.Exit(hashPassword(args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(run(context.Background(), args, signals, os.Stdout, os.Stderr))
}

// run is the whole program. It returns the exit code: 0 after a clean end, 1 if something failed, 2 if the command
// line is wrong.
func run(ctx context.Context, args []string, signals <-chan os.Signal, stdout, stderr io.Writer) int {
	f, err := parseFlags(args)
	switch {
	case errors.Is(err, errHelp):
		_, _ = io.WriteString(stdout, f.help())
		return 0
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "ftpd: %v\nTry 'ftpd --help'.\n", err)
		return 2
	case f.version:
		_, _ = fmt.Fprintln(stdout, "ftpd "+version.String())
		return 0
	}
	if f.judged != "" {
		return check(f.judged, stdout, stderr)
	}
	if err := serve(ctx, f, signals, stderr); err != nil {
		_, _ = fmt.Fprintf(stderr, "ftpd: %v\n", err)
		return 1
	}
	return 0
}

// check checks a configuration file for --check, and returns the exit code.
func check(name string, stdout, stderr io.Writer) int {
	file, err := os.ReadFile(name) //nolint:gosec // what the user has named
	if err == nil {
		err = ftpd.Check(file)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "ftpd: %s: %v\n", name, err)
		return 1
	}
	_, _ = fmt.Fprintf(stdout, "%s: right\n", name)
	return 0
}
