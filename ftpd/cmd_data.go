package ftpd

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/bans"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/passive"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// minActivePort is the lowest port that the daemon connects to in active mode. On lower ports there are services that
// a client could make the daemon talk to (RFC 2577 section 3).
const minActivePort = 1024

func (s *session) cmdPort(arg string) error {
	if err := s.activeAllowed(); err != nil {
		return err
	}
	to, err := wire.ParseHostPort(arg)
	if err != nil {
		return refuse(501, "Not understood: "+err.Error()+".")
	}
	return s.setActive(to)
}

func (s *session) cmdEprt(arg string) error {
	if err := s.activeAllowed(); err != nil {
		return err
	}
	to, err := wire.ParseExtended(arg)
	switch {
	case errors.Is(err, wire.ErrFamily), err == nil && to.Addr().Is4() != s.origin.Peer.Addr().Is4():
		return s.wrongFamily()
	case err != nil:
		return refuse(501, "Not understood: "+err.Error()+".")
	default:
		return s.setActive(to)
	}
}

// activeAllowed returns the refusal of PORT and EPRT if active mode is off or EPSV ALL was sent, else nil.
func (s *session) activeAllowed() error {
	switch {
	case !s.settings().cfg.Active.Enabled:
		return refuse(502, "Active mode is not enabled here; use PASV or EPSV.")
	case s.epsvAll:
		return errEpsvAll
	}
	return nil
}

// setActive takes the data connection's port from the client. The address must be the client's own: a server that
// connects to any address can be used to attack others (RFC 2577). An unspecified address, which lftp sends if it
// does not know its own, is accepted too, because the daemon connects to the client's address in any case.
func (s *session) setActive(to netip.AddrPort) error {
	if err := s.expelBanned(); err != nil {
		return err
	}
	own := to.Addr() == s.origin.Peer.Addr().WithZone("") || to.Addr().IsUnspecified()
	if !own || to.Port() < minActivePort {
		s.log.Warn("active mode refused: not the client's address, or a privileged port", "target", to)
		s.reply(504, "Refused: the address must be the one you connect from, the port at least 1024.")
		return s.reportOrExpel(bans.Bounce)
	}
	if err := s.takeData(); err != nil {
		return err
	}
	s.setData(transfer.Active{
		From:    netip.AddrPortFrom(s.dialFrom(), s.settings().cfg.Active.SourcePort),
		To:      netip.AddrPortFrom(s.origin.Peer.Addr(), to.Port()),
		Timeout: s.settings().cfg.Passive.ReservationTimeout.Std(),
	})
	return s.answer(200, "Address noted.")
}

// dialFrom returns the local address for active connections: the address that the client knows the server by. Behind
// a proxy that address is not the server's own; dialFrom then returns the zero Addr, and the system chooses.
func (s *session) dialFrom() netip.Addr {
	if s.origin.Proxy.IsValid() {
		return netip.Addr{}
	}
	return s.origin.Local.Addr()
}

// cmdPasv reserves a passive port and replies with it and the IPv4 address to connect to.
func (s *session) cmdPasv(string) error {
	if s.epsvAll {
		return errEpsvAll
	}
	addr, why := s.pasvAddress()
	if why != "" {
		return refuse(425, why)
	}
	r, err := s.reserve(addr)
	if err != nil {
		return err
	}
	return s.answer(227, "Entering Passive Mode ("+wire.FormatHostPort(addr, r.Port())+").")
}

// pasvAddress returns the IPv4 address for PASV, or why there is none.
func (s *session) pasvAddress() (addr netip.Addr, why string) {
	passiveCfg := s.settings().cfg.Passive
	over4 := s.origin.Local.Addr().Is4()
	if !over4 && passiveCfg.PeerCheck != config.PeerCheckRelaxed {
		// The client would connect over IPv4, from another address than the one known to the session.
		return netip.Addr{}, "PASV needs IPv4, and you are connected by IPv6; use EPSV."
	}
	for _, o := range passiveCfg.Overrides {
		if !o.Covers(s.origin.Peer.Addr()) {
			continue
		}
		if addr = s.srv.overrides.Addr(o.Address, true); !addr.IsValid() {
			why = "The server's IPv4 address for your network is not known; use EPSV, or try again later."
		}
		return addr, why
	}
	if addr = s.dialled(); passiveCfg.AdvertisedAddressFrom == config.AddressFromProxyProtocol && addr.IsValid() {
		return addr, ""
	}
	if addr = s.srv.advertised(true); addr.IsValid() {
		return addr, ""
	}
	switch {
	case passiveCfg.AdvertisedAddress != "" || s.srv.podAddress.Addr().IsValid():
		return netip.Addr{}, "The server's IPv4 address is not known; use EPSV, or try again later."
	case !over4:
		return netip.Addr{}, "PASV needs an IPv4 address, and there is none; use EPSV."
	}
	return s.origin.Local.Addr(), ""
}

// dialled returns the IPv4 address that the client connected to according to the PROXY header; the zero Addr if there
// was no header or it has no such address.
func (s *session) dialled() netip.Addr {
	addr := s.origin.Local.Addr().Unmap()
	if !s.origin.Proxy.IsValid() || !addr.Is4() || addr.IsUnspecified() || addr.IsMulticast() {
		return netip.Addr{}
	}
	return addr
}

// cmdEpsv reserves a passive port. The client connects to the control connection's address (RFC 2428 section 3).
func (s *session) cmdEpsv(arg string) error {
	arg = strings.TrimSpace(arg)
	if strings.EqualFold(arg, "ALL") {
		s.epsvAll = true
		return s.answer(200, "Only EPSV from now on.")
	}
	if arg != "" {
		family, err := wire.ParseFamily(arg)
		switch {
		case errors.Is(err, wire.ErrFamily), err == nil && (family == wire.FamilyIPv4) != s.origin.Local.Addr().Is4():
			return s.wrongFamily()
		case err != nil:
			return refuse(501, "Syntax: EPSV [1 | 2 | ALL]")
		}
	}
	r, err := s.reserve(netip.Addr{})
	if err != nil {
		return err
	}
	return s.answer(229, fmt.Sprintf("Entering Extended Passive Mode (|||%d|)", r.Port()))
}

// reserve reserves a passive port for the session, and first releases the one that the session may hold. addr is the
// address that the reply will name; the zero Addr for EPSV, whose reply names none. The error is the command's
// refusal.
func (s *session) reserve(addr netip.Addr) (*passive.Reservation, error) {
	s.dropData(observe.UnusedReplaced)
	if err := s.countReservation(); err != nil {
		return nil, err
	}
	if err := s.takeData(); err != nil {
		return nil, err
	}
	cfg := s.settings().cfg.Passive
	r, err := s.srv.pool().Reserve(s.present, passive.Request{
		Client:  s.origin.Peer.Addr(),
		AnyPeer: cfg.PeerCheck == config.PeerCheckRelaxed,
		Timeout: cfg.ReservationTimeout.Std(),
		Waiting: s.whilePresent,
	})
	if err != nil {
		s.held.Give(s.heldForData)
		s.log.Warn("no passive port", "error", err)
		return nil, refuse(425, "No passive port is free; try again later.")
	}
	told := fmt.Sprintf("port %d", r.Port())
	if addr.IsValid() {
		told = netip.AddrPortFrom(addr, r.Port()).String()
	}
	s.setData(transfer.Passive{Reservation: r, Told: told})
	return r, nil
}

// wrongFamily returns the refusal that names the only address family that works: the control connection's.
func (s *session) wrongFamily() error {
	family := wire.FamilyIPv6
	if s.origin.Local.Addr().Is4() {
		family = wire.FamilyIPv4
	}
	return refuse(522, fmt.Sprintf("Network protocol not supported, use (%d)", family))
}

// errEpsvAll refuses the commands that RFC 2428 section 4 forbids after EPSV ALL.
var errEpsvAll = refuse(503, "You sent EPSV ALL: only EPSV can be used now.")

// eprtFeature returns the FEAT line of EPRT, or "" if active mode is off.
func eprtFeature(s *session) string {
	if !s.settings().cfg.Active.Enabled {
		return ""
	}
	return "EPRT"
}
