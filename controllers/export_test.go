package controllers

import (
	"sync/atomic"
)

// Hashed counts the hashes that the reconciler computes from now on, be it for a new hash or to verify an old one. Each
// waits until it may go on; nil: at once.
func (r *Reconciler) Hashed(goOn <-chan struct{}) *atomic.Int64 {
	var n atomic.Int64
	hash, verify := r.hashing.hash, r.hashing.verify
	count := func() {
		if goOn != nil {
			<-goOn
		}
		n.Add(1)
	}
	r.hashing.hash = func(password string) (string, error) {
		count()
		return hash(password)
	}
	r.hashing.verify = func(former, password string) (bool, error) {
		count()
		return verify(former, password)
	}
	return &n
}
