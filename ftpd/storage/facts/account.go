//go:build linux

package facts

import "sync/atomic"

// account bounds the memory that a Cache holds, in bytes.
type account struct {
	most int64
	used atomic.Int64
}

// take takes n bytes, if there are as many.
func (a *account) take(n int64) bool {
	if a.used.Add(n) > a.most {
		a.used.Add(-n)
		return false
	}
	return true
}

func (a *account) give(n int64) { a.used.Add(-n) }
