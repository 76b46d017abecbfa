package ftpd

import (
	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
)

// Reservations is how many passive ports are reserved or waited for.
func (s *Server) Reservations() int {
	stats := s.pool().Stats()
	return stats.Reservations + stats.Waiting
}

// Splices is how many uploads of all servers splice.
func Splices() int { return transfer.Splicing() }

// Unobserved is an Observer that does nothing.
var Unobserved observe.Observer = observe.Nop{}

// VerifyBy has f verify passwords. It is called before the first login.
func (s *Server) VerifyBy(f func(hash, password string) (bool, error)) { s.cache.ComputeBy(f) }
