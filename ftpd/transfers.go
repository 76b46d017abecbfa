package ftpd

import (
	"context"
	"net"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/bandwidth"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
)

// begin accepts a plan over the data connection that was agreed upon. The goroutine that has read the command runs it;
// see loop.go.
func (s *session) begin(p plan) {
	o := transferOptions{
		session: (*transferOwner)(s), data: s.data, timeout: s.settings().cfg.Timeouts.Data.Std(),
		tls: s.dataTLS(), coding: s.coding, flow: s.flow(p.kind == kindUpload), deflates: s.srv.deflates, held: s.held.Move(),
		observer: s.srv.observer, account: account(*s.login),
	}
	s.data, s.restart, s.part, s.allocate = nil, 0, nil, 0
	s.srv.transfers.Add(1)
	o.observer.TransferBegan(p.kind.direction())
	s.beginTransfer(newTransfer(p, o))
}

// beginWork accepts a plan of kindWork, which needs no data connection. The session goes on meanwhile as during a transfer.
func (s *session) beginWork(p plan) {
	p.kind, p.size = kindWork, -1
	s.beginTransfer(newTransfer(p, transferOptions{session: (*transferOwner)(s)}))
}

func (s *session) beginTransfer(t *transfer) {
	s.activity.setTransfer(t)
	s.transfer, s.toRun = t, t
}

// settle ends the transfer for the session, with the result of its run: log line, reply, and what QUIT asked for.
func (s *session) settle(r result) {
	t := s.transfer
	s.transfer = nil
	s.activity.setTransfer(nil)
	if t.kind != kindWork {
		s.unused(t.data, unusedBy(t.stopped()))
		s.srv.transfers.Add(-1)
	}
	if t.kind != kindListing && (t.kind != kindWork || t.change != "") {
		s.auditTransfer(t, r)
	}
	s.reply(r.code, r.text)
	if rest, held := t.takeRest(); rest != nil {
		s.drain(held, func(context.Context) *net.TCPConn { return rest })
	}
	s.lastActive = time.Now()
	s.closing = s.closing || r.ending == observe.TransferPanicked
	if s.aborting {
		s.aborting = false
		s.reply(226, "ABOR done; the data connection is closed.")
	}
	if s.quitting {
		s.bye()
	}
}

// transferOwner is a session as its transfer sees it.
type transferOwner session

// Opening sends the 150 reply.
func (o *transferOwner) Opening(text string) { (*session)(o).reply(150, text) }

// ClientGone reports whether the control connection has ended without a QUIT. The end of an upload's data connection is
// the end of the file only if the client is still there: the kernel of a client that was killed ends both connections in
// the same orderly way.
func (o *transferOwner) ClientGone() bool {
	if o.in.Quit.Load() {
		return false
	}
	return o.in.Ended.Load() || socket.PeerClosed(o.conn)
}

// Contain runs f; see session.contain.
func (o *transferOwner) Contain(f func() error) error { return (*session)(o).contain(f) }

// flow begins the metering of a transfer.
func (s *session) flow(up bool) *bandwidth.Flow { return s.rates.Flow(up) }

// keepsPartial reports whether what comes of an upload that breaks off is to be kept: only if its
// user can resume it, which takes the right to overwrite, and REST, which text does not have.
func (s *session) keepsPartial() bool {
	keep := s.settings().cfg.Storage.PartialUploads == config.PartialUploadsKeep
	return keep && !s.ascii && s.rights().CanOverwrite()
}
