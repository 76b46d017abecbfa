package ftpd

import (
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
)

// Reservations returns the number of passive ports that are reserved or waited for.
func (s *Server) Reservations() int {
	stats := s.pool().Stats()
	return stats.Reservations + stats.Waiting
}

// Splices returns the number of uploads of all servers that use splice.
func Splices() int { return transfer.Splicing() }

// Unobserved is an Observer that does nothing.
var Unobserved observe.Observer = observe.Nop{}

// VerifyBy makes the server verify passwords with f. It must be called before the first login.
func (s *Server) VerifyBy(f func(hash, password string) (bool, error)) { s.cache.ComputeBy(f) }
