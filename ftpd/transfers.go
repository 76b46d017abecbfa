package ftpd

import (
	"context"
	"net"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/budget"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/passive"
	"github.com/ftp-operator/ftp-operator/ftpd/socket"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
)

// takeData takes the descriptors of the next data connection, and first gives up the one that was agreed upon. The
// caller must then call setData or s.held.Give. The error is the command's refusal.
func (s *session) takeData() error {
	s.dropData(observe.UnusedReplaced)
	s.heldForData = budget.DataDescriptors
	if s.settings().cfg.Passive.PeerCheck == config.PeerCheckRelaxed {
		s.heldForData *= passive.MaxCandidates // until it is known which of the connections is the client's
	}
	if s.held.Take(s.heldForData) {
		return nil
	}
	s.log.Warn("data connection refused", "error", budget.ErrNoDescriptors)
	return refuse(425, "Too many files and connections are open; try again later.")
}

// setData sets where the next data connection comes from, as agreed by PASV, EPSV, PORT or EPRT. takeData comes
// first.
func (s *session) setData(c transfer.Connector) { s.data = c }

// dropData gives up the data connection that was agreed upon, if there is one.
func (s *session) dropData(why observe.UnusedReservation) {
	if s.data != nil {
		s.data.Release()
		s.unused(s.data, why)
		s.data = nil
		s.held.Give(s.heldForData)
	}
}

// A client that sends a file does not read replies until it has sent everything. If its data connection were closed
// with data unread, the kernel would reset it; the client would then report a broken connection, and perhaps send the
// file again, instead of showing the reply that says why. So the session sends the reply first, and then reads and
// discards what the client still sends, within these limits.
const (
	// drainTime and drainBytes limit how long and how much is discarded.
	drainTime  = 5 * time.Second
	drainBytes = 256 << 20
)

// drain discards what arrives on a data connection, after the client was sent the reply, until the client closes its
// side. A session drains one connection at a time; the next call ends this one. take returns the connection, or nil
// if there is none; drain calls it in a new goroutine, with a context that ends after drainTime or with the session.
// taken holds the descriptors of the connection.
func (s *session) drain(taken budget.Held, take func(ctx context.Context) *net.TCPConn) {
	s.endDrain()
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	s.stopDrain = cancel
	go func() {
		defer cancel()
		defer taken.GiveAll()
		conn := take(ctx)
		if conn == nil {
			return
		}
		defer func() { _ = conn.Close() }()
		defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
		transfer.Discard(conn, drainBytes)
	}()
}

// endDrain ends the draining that is under way, if any.
func (s *session) endDrain() {
	if s.stopDrain != nil {
		s.stopDrain()
		s.stopDrain = nil
	}
}

// refuseData gives up the data connection after its transfer was refused. With TLS the client may be in the middle of
// the handshake. If the connection broke then, curl 7.88 would ask for another port and take the refusal for the
// reply to that; so the connection is drained instead.
func (s *session) refuseData(why observe.UnusedReservation) {
	if s.data == nil || !s.private || why != refusedCommand {
		s.dropData(why)
		return
	}
	s.drain(s.held.Move(), s.data.Take)
	s.data = nil
}

// begin starts a transfer over the data connection that was agreed upon. The goroutine that has read the command runs
// it; see schedule.go.
func (s *session) begin(p transfer.Plan) {
	o := transfer.Options{
		Session: (*transferOwner)(s), Peer: &s.peer, Data: s.data, Timeout: s.settings().cfg.Timeouts.Data.Std(),
		TLS: s.dataTLS(), Coding: s.coding, Flow: s.login.rates.Flow(p.Kind == transfer.Upload), Deflates: s.srv.deflates, Held: s.held.Move(),
		Observer: s.srv.observer, Account: account(s.login.Identity),
	}
	s.data, s.restart, s.part, s.allocate = nil, 0, nil, 0
	s.srv.transfers.Add(1)
	o.Observer.TransferBegan(p.Kind.Direction())
	s.beginTransfer(transfer.New(p, o))
}

// beginWork starts Work, which needs no data connection. While it runs, the session behaves as during a transfer.
func (s *session) beginWork(p transfer.Plan) {
	p.Kind, p.Size = transfer.Work, -1
	s.beginTransfer(transfer.New(p, transfer.Options{Session: (*transferOwner)(s)}))
}

func (s *session) beginTransfer(t *transfer.Transfer) {
	s.activity.setTransfer(t)
	s.transfer, s.toRun = t, t
}

// settle ends the transfer for the session with the result of its run: it writes the reply, and ends the session if QUIT
// came.
func (s *session) settle(r transfer.Result) {
	t := s.transfer
	s.transfer = nil
	s.activity.setTransfer(nil)
	if t.Kind != transfer.Work {
		s.unused(t.Data, unusedBy(t.AbortCause()))
		s.srv.transfers.Add(-1)
	}
	s.reply(r.Code, r.Text)
	if rest, held := t.TakeRest(); rest != nil {
		s.drain(held, func(context.Context) *net.TCPConn { return rest })
	}
	s.lastActive = time.Now()
	if r.Ending == observe.TransferPanicked {
		s.closeIntake()
	}
	if s.aborting {
		s.aborting = false
		s.reply(226, "ABOR done; the data connection is closed.")
	}
	if s.intake == intakeQuitting {
		s.bye()
	}
}

// transferOwner is a session as its transfer sees it.
type transferOwner session

// Opening sends the 150 reply.
func (o *transferOwner) Opening(text string) { (*session)(o).reply(150, text) }

// Ended writes the audit line, before the reply that it is about.
func (o *transferOwner) Ended(t *transfer.Transfer, r transfer.Result) {
	if t.Kind != transfer.Listing && (t.Kind != transfer.Work || t.Change != "") {
		(*session)(o).auditTransfer(t, r)
	}
}

// ClientGone reports whether the control connection has ended without QUIT. The end of an upload's data connection is
// the end of the file only if the client is still connected: when a client is killed, its kernel closes both
// connections in the same orderly way.
func (o *transferOwner) ClientGone() bool {
	if o.in.Quit.Load() {
		return false
	}
	return o.in.Ended.Load() || socket.PeerClosed(o.conn)
}

// Contain runs f; see session.contain.
func (o *transferOwner) Contain(f func() error) error { return (*session)(o).contain(f) }

// keepsPartial reports whether to keep what has arrived of an upload that breaks off. It is kept only if the user can
// resume it: that takes the right to overwrite, and REST, which TYPE A does not have.
func (s *session) keepsPartial() bool {
	keep := s.settings().cfg.Storage.PartialUploads == config.PartialUploadsKeep
	return keep && !s.ascii && s.rights().CanOverwrite()
}
