package quota

// attempt publishes the upload. If that panics, what is reserved is given back, the upload is dropped,
// what is there is counted again, and the panic goes on.
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
