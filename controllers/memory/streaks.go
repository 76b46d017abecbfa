package memory

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Streaks counts the passes of a server that failed in a row. After a restart the count starts again, so that the first
// failure is once more only logged.
type Streaks struct {
	mu    sync.Mutex
	count map[types.NamespacedName]int
}

// NewStreaks returns a Streaks in which nothing has failed.
func NewStreaks() *Streaks { return &Streaks{count: map[types.NamespacedName]int{}} }

// Failed adds one to the count and returns it.
func (f *Streaks) Failed(server types.NamespacedName) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count[server]++
	return f.count[server]
}

// Again adds one to the count and returns when to retry: after 50 ms at first, twice as long each time, and 10 s at
// most.
func (f *Streaks) Again(server types.NamespacedName) time.Duration {
	const soon, most = 50 * time.Millisecond, 10 * time.Second
	return min(soon<<min(f.Failed(server)-1, 10), most)
}

// Succeeded ends the row of a server.
func (f *Streaks) Succeeded(server types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.count, server)
}
