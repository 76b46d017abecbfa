package calls

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"testing"
)

const table = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ------------------
 60.00    0.000600           3       200        50 recvfrom
 40.00    0.000400           2       200           futex
------ ----------- ----------- --------- --------- ------------------
100.00    0.001000           2       400        50 total
`

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := parse([]byte(table))
	if want := (Counts{"recvfrom": 200, "futex": 200}); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if got.All() != 400 || got.Work() != 200 {
		t.Errorf("%v in all, %v of work", got.All(), got.Work())
	}
	if _, err := parse([]byte("strace: nothing\n")); err == nil {
		t.Error("a table without calls is no error")
	}
}

// What is made once does not count, and there are never fewer than no calls.
func TestEach(t *testing.T) {
	t.Parallel()
	got := each(Counts{"read": 110, "open": 7, "mmap": 5, "futex": 9}, Counts{"read": 210, "open": 7, "write": 50, "futex": 4}, 50)
	if want := (Counts{"read": 2, "open": 0, "write": 1, "futex": 0}); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEnded(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Skip("NOT TESTED: there is no program to run")
	}
	if ended(os.Getpid()) || !ended(cmd.Process.Pid) {
		t.Error("taken for ended, or for running")
	}
}

// A process list that can't be had, or an operation that fails, is the error.
func TestPerOperationFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	if _, err := PerOperation(func() ([]int, error) { return nil, broken }, 1, nil); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
