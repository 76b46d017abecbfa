package transfer

import (
	"io"
	"net"
	"time"
)

const (
	// maxLate is the largest number of octets discarded that a client sends on the data connection of a download.
	maxLate = 64 << 10
	// lingerData is the time that a client has to close its side of a data connection with TLS.
	lingerData = 500 * time.Millisecond
	// replyGap is the longest time between the 150 and the next reply that a transfer waits only for the client to
	// close its side of the data connection.
	replyGap = 20 * time.Millisecond
)

// endData ends a data connection after a successful transfer. With TLS it sends close_notify, which tells the client
// that it has everything (or that the server has). During a download the client may still be sending; closing a
// connection with unread data would reset it, and the client might lose the end of the file. So endData reads and
// discards for a moment.
//
// After a download that took almost no time this also waits for the client to close its side. A client does that when
// it has read the 150 and the data, so it does not read the 226 together with the 150: simple clients lose the second
// of two replies that they read together, and aria2 waits for it until its timeout. Clients that read the reply first
// lose replyGap for each file, and distant clients no more than that.
func (t *Transfer) endData(raw *net.TCPConn) error {
	if t.secure != nil {
		if err := t.secure.CloseWrite(); err != nil && t.Kind != Upload {
			return err
		}
	}
	if t.Kind == Upload {
		return nil // the client may have closed already, and has said that this was all
	}
	now := time.Now()
	until := t.opened.Add(replyGap)
	if t.secure != nil {
		until = now.Add(lingerData)
	}
	if !now.Before(until) {
		return nil
	}
	_ = raw.CloseWrite()
	if t.setReadDeadline(until) == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(raw, maxLate))
	}
	return nil
}
