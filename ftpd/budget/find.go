package budget

import (
	"errors"
	"math"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"golang.org/x/sys/unix"
)

// Find looks up what the system allows the process. An error says why the memory limit can't be read; the other
// values are valid then, too. Find returns the soft limit of descriptors, which Go has raised to the hard limit at
// the start.
func Find() (Available, error) {
	a := Available{Processors: runtime.GOMAXPROCS(0)}
	if os.Getenv("GOMEMLIMIT") != "" {
		if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
			a.GoLimit = limit
		}
	}
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err == nil {
		a.Descriptors = int(min(files.Cur, math.MaxInt32)) //nolint:gosec // bounded
	}
	limit, err := memlimit.FromCgroup()
	switch {
	case errors.Is(err, memlimit.ErrNoLimit), errors.Is(err, memlimit.ErrCgroupsNotSupported), errors.Is(err, memlimit.ErrNoCgroup):
		return a, nil
	case err != nil:
		return a, err
	}
	a.Memory = int64(min(limit, math.MaxInt64)) //nolint:gosec // bounded
	return a, nil
}

// Apply sets the soft limit of the Go heap, unless the environment sets GOMEMLIMIT.
func Apply(a Available) {
	if limit := GoLimit(a); limit > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
}
