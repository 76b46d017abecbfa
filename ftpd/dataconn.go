package ftpd

import (
	"github.com/ftp-operator/ftp-operator/ftpd/budget"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/passive"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
)

// takeData takes the descriptor of the next data connection, giving up what was agreed upon. If there is none, it says so and returns
// false. A setData has to follow, or s.held.give.
func (s *session) takeData() bool {
	s.dropData(observe.UnusedReplaced)
	s.heldForData = budget.DataDescriptors
	if s.settings().cfg.Passive.PeerCheck == config.PeerCheckRelaxed {
		s.heldForData *= passive.MaxCandidates // until it is known which of them is the client's
	}
	if s.held.Take(s.heldForData) {
		return true
	}
	s.log.Warn("data connection refused", "error", budget.ErrNoDescriptors)
	s.reply(425, "Too many files and connections are open; try again later.")
	return false
}

// setData is what PASV, EPSV, PORT or EPRT has agreed upon, after takeData.
func (s *session) setData(c transfer.Connector) { s.data = c }

// dropData gives up what was agreed upon.
func (s *session) dropData(why observe.UnusedReservation) {
	if s.data != nil {
		s.data.Release()
		s.unused(s.data, why)
		s.data = nil
		s.held.Give(s.heldForData)
	}
}
