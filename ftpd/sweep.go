package ftpd

import "context"

// sweep removes what uploads left behind that died with an earlier process, beside the sessions.
func (s *Server) sweep(ctx context.Context) {
	removed, err := s.storage.Sweep(ctx)
	if removed > 0 {
		s.log.Info("removed leftovers of interrupted uploads", "files", removed)
		s.quota.Recount()
	}
	if err != nil && ctx.Err() == nil {
		s.log.Warn("can't remove all leftovers of interrupted uploads; trying again at the next start", "error", err)
	}
}
