package ftpd

import "sync/atomic"

// tokens are a number of places that are taken without waiting. They are safe for concurrent use.
type tokens struct {
	size, taken atomic.Int64
}

func newTokens(size int) *tokens {
	t := &tokens{}
	t.resize(size)
	return t
}

// resize changes how many there are; those that are taken stay so.
func (t *tokens) resize(size int) { t.size.Store(int64(size)) }

// take takes one; false if there is none.
func (t *tokens) take() bool {
	if t.taken.Add(1) > t.size.Load() {
		t.taken.Add(-1)
		return false
	}
	return true
}

func (t *tokens) give() { t.taken.Add(-1) }
