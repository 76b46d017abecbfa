package server

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
)

// The ports that servers get: below those that the system gives to clients, which could take one
// between its being found free and its being used.
const (
	lowestPort  = 12000
	highestPort = 29999
)

var (
	portsMu sync.Mutex
	given   = map[int]bool{}
)

// freePorts returns the first of n ports in a row that nobody listens on, and that were not given
// before.
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
	return 0, errors.New("no free ports are left")
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
