package ftpd

import "github.com/ftp-operator/ftp-operator/ftpd/bandwidth"

// flow begins the metering of a transfer. Without a login, as in tests of the parts, there is none.
func (s *session) flow(up bool) *bandwidth.Flow {
	if s.rates == nil {
		return nil
	}
	return s.rates.Flow(up)
}

// moved counts octets that were moved, and waits for as long as they take at the rate that the
// transfer may have. It returns why the transfer was aborted, if it was while it waited.
func (t *transfer) moved(n int64) error {
	t.bytes.Add(n)
	t.observer.Moved(t.direction(), n)
	return t.flow.Pay(t.ctx, n)
}
