package transfer

import (
	"io"
	"net"
	"time"
)

const (
	// maxLate bounds what is thrown away of what a client sends on the data connection of a download.
	maxLate = 64 << 10
	// lingerData is how long a client may take to close its side of a data connection with TLS.
	lingerData = 500 * time.Millisecond
	// replyGap is how long after a 150 the next reply is sent at the latest, if only the client's end of the
	// data connection is still waited for.
	replyGap = 20 * time.Millisecond
)

// endData ends a data connection after everything went well: with TLS by close_notify, so that the
// client knows it has everything (or that we have). Of a download the client may still be sending:
// closing over that would reset the connection, and the client might lose the end of the file.
//
// Of a download that took no time it also waits a moment for the client to close its side. A client
// does that when it has read the 150 and the data, so that it does not read the 226 together with the
// 150: simple clients then lose the second reply, and aria2 waits for it until its time-out. It costs
// those that read replies first replyGap for each file, and a distant client no more than that.
func (t *Transfer) endData(raw *net.TCPConn) error {
	if t.secure != nil {
		if err := t.secure.CloseWrite(); err != nil && t.Kind != Upload {
			return err
		}
	}
	if t.Kind == Upload {
		return nil // its client may be gone already, and has said that this was all
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
