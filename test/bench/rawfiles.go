package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rawFileSize is the number of bytes that the raw server sends for each RETR.
const rawFileSize = 1 << 10

// serveRawFiles is the physical limit of small files: a server that speaks just enough FTP for the load generator, and makes
// for each file only the calls that no server can do without: it reads two commands, accepts, sends or receives, closes,
// and writes three replies. Each session has a thread that waits in these calls, of which Go's scheduler is not told,
// and a passive port of its own.
func serveRawFiles(l net.Listener, source string) error {
	// Each session keeps one of these, and does not stop for the garbage collector, of which there is no need.
	runtime.GOMAXPROCS(64)
	debug.SetGCPercent(-1)
	f, err := os.Open(source)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it was only read
	return each(l, func(conn *net.TCPConn) error {
		control, err := conn.File() // a descriptor whose calls wait
		if err != nil {
			return err
		}
		defer control.Close() //nolint:errcheck // the client has its replies
		return rawSession(int(control.Fd()), int(f.Fd()))
	})
}

// rawSession answers the commands on a control connection until QUIT or its end.
func rawSession(control, file int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	passive, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(passive) //nolint:errcheck // nothing was written
	if err := unix.Bind(passive, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return os.NewSyscallError("bind", err)
	}
	if err := unix.Listen(passive, 1); err != nil {
		return os.NewSyscallError("listen", err)
	}
	name, err := unix.Getsockname(passive)
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	replies := map[string]string{
		"": "220 ready\r\n", "USER": "331 go on\r\n", "PASS": "230 welcome\r\n", "TYPE": "200 done\r\n", "QUIT": "221 bye\r\n",
		"EPSV": fmt.Sprintf("229 (|||%d|)\r\n", name.(*unix.SockaddrInet4).Port), "150": "150 coming\r\n", "226": "226 done\r\n",
	}
	say := func(reply string) bool {
		return waits(unix.SYS_WRITE, control, uintptr(unsafe.Pointer(unsafe.StringData(reply))), uintptr(len(reply)), 0) == len(reply)
	}
	buf := make([]byte, 64<<10)
	for verb := ""; say(replies[verb]) && verb != "QUIT"; {
		n := waits(unix.SYS_READ, control, uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), 0)
		if n <= 0 {
			return nil
		}
		command := buf[:n]
		if verb = string(bytes.TrimRight(command[:min(n, 4)], "\r\n")); verb != "RETR" && verb != "STOR" {
			continue
		}
		say(replies["150"])
		data := waits(unix.SYS_ACCEPT4, passive, 0, 0, unix.SOCK_CLOEXEC)
		if data < 0 {
			return syscall.Errno(-data)
		}
		if verb == "RETR" {
			offset := int64(0)
			n = waits(unix.SYS_SENDFILE, data, uintptr(file), uintptr(unsafe.Pointer(&offset)), rawFileSize)
		} else {
			for n = 1; n > 0; {
				n = waits(unix.SYS_READ, data, uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), 0)
			}
		}
		waits(unix.SYS_CLOSE, data, 0, 0, 0)
		if n < 0 {
			return syscall.Errno(-n)
		}
		verb = "226"
	}
	return nil
}

// waits makes a system call on a descriptor again while a signal interrupts it. It returns the result, or the error number
// below zero.
//
//go:uintptrescapes
func waits(call uintptr, fd int, a, b, c uintptr) int {
	for {
		n, _, errno := unix.RawSyscall6(call, uintptr(fd), a, b, c, 0, 0)
		switch errno {
		case 0:
			return int(n)
		case unix.EINTR:
		default:
			return -int(errno)
		}
	}
}
