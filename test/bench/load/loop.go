package load

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// machine is what one session does over and over, as a state machine. A loop runs it, and knows it by its slot there.
type machine interface {
	// begin starts the next operation.
	begin(l *loop, slot int) error
	// ready goes on as far as possible without waiting. It is also called when nothing can be done.
	ready(l *loop, slot int) error
	// end gives back what an operation holds that did not end.
	end()
}

// loop is one thread that runs machines. It waits for all of them at once, by epoll, so that it sleeps and wakes less
// often than a thread for each would.
type loop struct {
	epoll    int
	machines []machine
	until    time.Time
	most     int   // the number of operations after which a machine rests; 0: no limit
	counts   []int // the number of operations, by machine
	running  int   // the number of machines that do not rest
	events   [64]unix.EpollEvent
}

// drive runs machines for the time d, each of them at least one and, unless most is 0, at most so many operations. It
// returns how many operations ended per second, and how many in all.
func drive(machines []machine, d time.Duration, most int) (rate float64, calls int, err error) {
	loops := make([]*loop, min(len(machines), threads()))
	start := time.Now()
	for i := range loops {
		loops[i] = &loop{until: start.Add(d), most: most}
	}
	for i, m := range machines {
		l := loops[i%len(loops)]
		l.machines = append(l.machines, m)
	}
	errs := make([]error, len(loops))
	var running sync.WaitGroup
	for i, l := range loops {
		running.Go(func() { errs[i] = l.run() })
	}
	running.Wait()
	took := time.Since(start)
	for _, l := range loops {
		for _, n := range l.counts {
			calls += n
		}
	}
	return float64(calls) / took.Seconds(), calls, errors.Join(errs...)
}

// threads returns how many loops there are at most: one for two processors, so that the servers have the others.
func threads() int { return max(1, min(4, runtime.NumCPU()/2)) }

func (l *loop) run() (err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	defer unix.Close(l.epoll) //nolint:errcheck // nothing was written
	defer func() {
		for _, m := range l.machines {
			m.end()
		}
	}()
	l.counts = make([]int, len(l.machines))
	l.running = len(l.machines)
	for slot, m := range l.machines {
		if err := m.begin(l, slot); err != nil {
			return err
		}
	}
	for silent := 0; l.running > 0; {
		n, errno := epollWait(l.epoll, l.events[:], 1000)
		switch {
		case errno == unix.EINTR:
			continue
		case errno != 0:
			return os.NewSyscallError("epoll_pwait", errno)
		case n == 0:
			if silent++; time.Duration(silent)*time.Second >= patience {
				return fmt.Errorf("%d of %d sessions have heard nothing from the server for %v", l.running, len(l.machines), patience)
			}
			continue
		}
		silent = 0
		for _, event := range l.events[:n] {
			if err := l.machines[event.Fd].ready(l, int(event.Fd)); err != nil {
				return err
			}
		}
	}
	return nil
}

// watch has the machine's method ready called when the socket becomes readable, or writable: once each time (EPOLLET), so
// that the machine need not take what it does not wait for.
func (l *loop) watch(fd, slot int, what uint32) error {
	event := unix.EpollEvent{Events: what | unix.EPOLLET, Fd: int32(slot)}
	return failed("epoll_ctl", epollAdd(l.epoll, fd, &event))
}

// done counts an operation of a machine that has ended, and starts its next one or has it rest.
func (l *loop) done(slot int) error {
	l.counts[slot]++
	if l.counts[slot] == l.most || !time.Now().Before(l.until) {
		l.running--
		return nil
	}
	return l.machines[slot].begin(l, slot)
}

// failed returns the error of a system call, or nil. Package os's function would allocate memory for no error, too.
func failed(call string, errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return os.NewSyscallError(call, errno)
}

// rawAddress returns an address as system calls take it.
func rawAddress(a netip.AddrPort) unix.RawSockaddrInet4 {
	to := unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: a.Addr().As4()}
	setPort(&to, a.Port())
	return to
}

// setPort sets the port, whose bytes are in network order.
func setPort(to *unix.RawSockaddrInet4, port uint16) {
	to.Port = binary.NativeEndian.Uint16([]byte{byte(port >> 8), byte(port)})
}
