package address

import (
	"net"
	"strconv"
)

// Endpoint returns the URL that clients connect to, as in ftp://203.0.113.10:21, with an IPv6 address in brackets. It
// returns an empty string while the host or the port is not known.
func Endpoint(scheme, host string, port int32) string {
	if host == "" || port == 0 {
		return ""
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(int(port)))
}
