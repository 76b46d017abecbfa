package transfer

import (
	"errors"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

// A small transfer in clear text is done by a few system calls that never wait: its connection needs no place in Go's
// poller, and no deadlines. As soon as a call would have to wait for longer than a moment, the connection gets its
// place, and the transfer goes on like any other.

const (
	// smallDownload is the size of the largest file that is sent in this way.
	smallDownload = 128 << 10
	// moment is the time after the 150 that the data of a small upload may take. A client that is near sends them at
	// once.
	moment = 4 * time.Millisecond
)

// rawConn is the data connection of a transfer that may be small. It has the type that Write needs.
type rawConn struct {
	t    *Transfer
	conn *socket.Conn
	tcp  *net.TCPConn // the same connection, after upgrade
}

// rawConn returns the client's data connection if it is there, and if the transfer may be done in this way; else nil.
func (t *Transfer) rawConn() *rawConn {
	passive, ok := t.Data.(Passive)
	if !ok || t.TLS != nil || t.Coding.Deflate || t.Flow.Bounded() || !t.Content.mayBeSmall() {
		return nil
	}
	conn := passive.Ready()
	if conn == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.port = passive.Port()
	return &rawConn{t: t, conn: conn}
}

// exchangeRaw is the part of exchange that follows the data connection. After a download it leaves the connection in
// t.reader, with everything sent.
func (t *Transfer) exchangeRaw(c *rawConn) (err error) {
	defer func() {
		if t.reader == nil {
			c.close()
		}
	}()
	smallTransfers.Add(1)
	defer smallTransfers.Add(-1)
	t.Observer.FirstByte(t.Kind.Direction(), time.Since(t.Started))
	if err := t.AbortCause(); err != nil {
		return err
	}
	if err := t.Content.moveRaw(t, c); err != nil {
		return err
	}
	switch {
	case c.tcp != nil:
		if err := t.endData(c.tcp); err != nil {
			return err
		}
	case t.Kind != Upload:
		_ = c.conn.CloseWrite()
		t.reader = c
	}
	return t.complete()
}

// smallTransfers is the number of transfers in exchangeRaw, in the whole process, which has its threads only once.
var smallTransfers atomic.Int32

// giveWay lets other goroutines run, if other small transfers run: what this one waits for is mostly there afterwards, and
// no thread has to block for it. (RETR by 16 sessions: 5 to 10 % more. A transfer that is alone would lose 7 % by it.)
func giveWay() {
	if smallTransfers.Load() > 1 {
		runtime.Gosched()
	}
}

// Peer holds what is known about the client at the other end of a session. The session's transfers use it one after the other.
type Peer struct {
	// quick says that the client has closed its side of the last connection within quickly.
	quick bool
}

// quickly is the time for which a transfer keeps its processor while it waits for a client that is quick. Only a client on
// the same machine is. Where a virtual processor has to be woken for the reply, this saves a tenth of the time of a small
// download.
const quickly = 50 * time.Microsecond

// spin returns for how long to keep the processor.
func (p *Peer) spin() time.Duration {
	if p == nil || !p.quick || smallTransfers.Load() > 1 || runtime.GOMAXPROCS(0) < 2 {
		return 0
	}
	return quickly
}

// waited notes how long the client took.
func (p *Peer) waited(d time.Duration) {
	if p != nil {
		p.quick = d < 2*quickly // with the time that waking takes
	}
}

// Write sends p.
func (c *rawConn) Write(p []byte) (int, error) {
	sent := 0
	if c.tcp == nil {
		var err error
		if sent, err = c.send(p); !errors.Is(err, socket.ErrWait) {
			return sent, err
		}
		if _, err := c.upgrade(); err != nil {
			return sent, err
		}
	}
	n, err := dataWriter{c.t, c.tcp}.Write(p[sent:])
	return sent + n, err
}

// send sends as much of p as the connection takes at once. It returns socket.ErrWait if that is not all.
func (c *rawConn) send(p []byte) (int, error) {
	if err := c.t.AbortCause(); err != nil {
		return 0, err
	}
	n, err := c.conn.Send(p)
	if stop := c.t.moved(int64(n)); stop != nil {
		return n, stop
	}
	return n, err
}

// gather reads until the client has closed its side (all is true), buf is full, or the client takes more than a moment.
func (c *rawConn) gather(buf []byte) (n int, all bool, err error) {
	until := c.t.opened.Add(moment)
	for n < len(buf) {
		m, err := c.conn.Recv(buf[n:])
		n += m
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return n, true, c.t.moved(int64(n))
		case errors.Is(err, socket.ErrWait):
			if c.conn.Await(time.Until(until)) != nil {
				return n, false, c.t.moved(int64(n))
			}
		default:
			_ = c.t.moved(int64(n))
			return n, false, err
		}
	}
	return n, false, c.t.moved(int64(n))
}

// upgrade gives the connection a place in Go's poller. If the transfer was aborted, it returns the cause.
func (c *rawConn) upgrade() (*net.TCPConn, error) {
	tcp, err := c.conn.TCP()
	if err != nil {
		return nil, err
	}
	c.tcp = tcp
	return tcp, c.t.setConn(tcp)
}

// awaitReader waits, as endData does and why it does, until the client has closed its side of the connection, and closes
// the connection.
func (t *Transfer) awaitReader() {
	c := t.reader
	if c == nil {
		return
	}
	defer c.close()
	smallTransfers.Add(1)
	defer smallTransfers.Add(-1)
	giveWay() // meanwhile the client may close its side
	begun := time.Now()
	err := c.conn.AwaitEnd(t.opened.Add(replyGap), maxLate, t.Peer.spin())
	t.Peer.waited(time.Since(begun))
	if !errors.Is(err, socket.ErrWait) {
		return
	}
	tcp, err := c.upgrade() // too many threads wait
	if err == nil {
		_ = t.endData(tcp)
	}
	if tcp != nil { // also if the transfer was aborted meanwhile
		_ = tcp.Close()
	}
}

// close closes the connection unless it was upgraded: then endConnection does that.
func (c *rawConn) close() {
	if c.tcp == nil {
		_ = c.conn.Close()
	}
}
