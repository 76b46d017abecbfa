package server

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Servers get ports in this range. It is below the range from which the system assigns ports to clients; a client
// could otherwise take a port between the check and its use.
const (
	lowestPort  = 12000
	highestPort = 29999
)

var (
	portsMu sync.Mutex
	given   = map[int]bool{}
)

// freePorts returns the first of n consecutive ports that are free and were not returned before.
func freePorts(n int) (int, error) {
	portsMu.Lock()
	defer portsMu.Unlock()
	for range 1000 {
		first := lowestPort + rand.IntN(highestPort-lowestPort-n)
		if !allFree(first, n) {
			continue
		}
		for port := first; port < first+n; port++ {
			given[port] = true
		}
		return first, nil
	}
	return 0, fmt.Errorf("no %d free ports in a row are left between %d and %d: end what listens there", n, lowestPort, highestPort)
}

func allFree(first, n int) bool {
	for port := first; port < first+n; port++ {
		if given[port] {
			return false
		}
		l, err := net.Listen("tcp", "127.0.0.1:"+portText(port))
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}
