package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// PodAddressFile is the name of a file in the directory of Passive.PortsFile. It contains the IP address that leads
// clients to this pod and no other one. If it is missing or empty, Passive.AdvertisedAddress is used.
const PodAddressFile = "advertised-address"

// ParsePodAddress reads the content of a PodAddressFile: one IP address, or only white space, for which it returns
// the zero Addr. The error says what is wrong with the text.
func ParsePodAddress(text string) (netip.Addr, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return netip.Addr{}, nil
	}
	ip, err := netip.ParseAddr(text)
	ip = ip.Unmap()
	switch {
	case err != nil:
		return netip.Addr{}, fmt.Errorf("%q is no IP address: write it as in 203.0.113.10", clip(text))
	case ip.Zone() != "":
		return netip.Addr{}, fmt.Errorf("%q has a zone, which means nothing to clients: leave it out", clip(text))
	case ip.IsUnspecified() || ip.IsMulticast() || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return netip.Addr{}, errors.New(text + " is no address that a client could dial (unspecified, multicast or broadcast)")
	}
	return ip, nil
}

// clip shortens a text that is quoted in an error.
func clip(text string) string {
	const most = 64
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
