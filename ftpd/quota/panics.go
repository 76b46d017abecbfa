package quota

// attempt publishes the upload. If publish panics, attempt gives back what is reserved, drops the upload, starts new
// counts of the homes, and lets the panic continue.
func (u *upload) attempt(publish func() error) error {
	done := false
	defer func() {
		if done {
			return
		}
		u.release()
		_ = u.Upload.Abort()
		r := u.v.r
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, a := range r.holding(u.at) {
			r.restart(a)
		}
	}()
	err := publish()
	done = true
	return err
}
