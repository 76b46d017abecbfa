package address

import (
	"net"
	"strconv"
)

// Endpoint is the URL that clients connect to, as in ftp://203.0.113.10:21, with an IPv6 address
// in brackets. It is empty while the host is.
func Endpoint(host string, port int32) string {
	if host == "" {
		return ""
	}
	return "ftp://" + net.JoinHostPort(host, strconv.Itoa(int(port)))
}
