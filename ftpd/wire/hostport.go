package wire

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// The numbers that EPRT and EPSV use for address families (RFC 2428).
const (
	FamilyIPv4 = 1
	FamilyIPv6 = 2
)

var (
	errHostPort = errors.New("write the address as h1,h2,h3,h4,p1,p2 with numbers from 0 to 255")
	errExtended = errors.New("write the address as |1|192.0.2.7|50000| or |2|2001:db8::7|50000|")
	// ErrFamily means that an address family is neither IPv4 nor IPv6.
	ErrFamily = errors.New("unknown network protocol")
)

// ParseHostPort parses the argument of PORT: h1,h2,h3,h4,p1,p2 (RFC 959 section 5.3.2).
func ParseHostPort(arg string) (netip.AddrPort, error) {
	fields := strings.Split(strings.TrimSpace(arg), ",")
	if len(fields) != 6 {
		return netip.AddrPort{}, errHostPort
	}
	var b [6]byte
	for i, field := range fields {
		n, err := strconv.ParseUint(field, 10, 8)
		if err != nil {
			return netip.AddrPort{}, errHostPort
		}
		b[i] = byte(n)
	}
	addr := netip.AddrFrom4([4]byte(b[:4]))
	return netip.AddrPortFrom(addr, uint16(b[4])<<8|uint16(b[5])), nil
}

// FormatHostPort returns an address in the form that ParseHostPort parses. The address must be IPv4.
func FormatHostPort(addr netip.Addr, port uint16) string {
	a := addr.As4()
	return fmt.Sprintf("%d,%d,%d,%d,%d,%d", a[0], a[1], a[2], a[3], port>>8, port&0xff)
}

// ParseExtended parses the argument of EPRT: <d>family<d>address<d>port<d> (RFC 2428 section 2). It returns ErrFamily
// (errors.Is) for a family other than 1 and 2.
func ParseExtended(arg string) (netip.AddrPort, error) {
	arg = strings.TrimSpace(arg)
	if len(arg) < 2 || arg[0] < 33 || arg[0] > 126 {
		return netip.AddrPort{}, errExtended
	}
	fields := strings.Split(arg, arg[:1])
	if len(fields) != 5 || fields[0] != "" || fields[4] != "" {
		return netip.AddrPort{}, errExtended
	}
	family, err := ParseFamily(fields[1])
	if err != nil {
		return netip.AddrPort{}, err
	}
	addr, err := netip.ParseAddr(fields[2])
	if err != nil || addr.Is4() != (family == FamilyIPv4) || addr.Zone() != "" {
		return netip.AddrPort{}, errExtended
	}
	port, err := strconv.ParseUint(fields[3], 10, 16)
	if err != nil || port == 0 {
		return netip.AddrPort{}, errExtended
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), nil
}

// ParseFamily parses the number of an address family. It returns ErrFamily for a family other than IPv4 and IPv6.
func ParseFamily(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	switch {
	case err != nil:
		return 0, errExtended
	case n != FamilyIPv4 && n != FamilyIPv6:
		return 0, ErrFamily
	}
	return int(n), nil
}
