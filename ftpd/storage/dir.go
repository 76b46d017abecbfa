package storage

import (
	"io/fs"
	"time"
)

// batch is the approximate number of directory entries that are read at a time.
const batch = 256

// PagedDir is a Dir that may have its entries in memory, where texts about them are kept, too. It reads the directory itself
// for callers that do not ask for pages.
type PagedDir interface {
	Dir
	// NextPage returns the next entries that are in memory, or nil if there are no more of them. Next then returns those
	// that are left: all, or only the symbolic links. NextPage must not be called after Next or NextName, until it has
	// returned nil.
	NextPage() Page
}

// Page holds entries of a directory that never change: when the directory changes, it has other pages. None of them is a
// symbolic link, since what is shown of a link depends on files elsewhere. A Page is safe for concurrent use.
type Page interface {
	// Each calls f for every entry. What f gets is valid until it returns.
	Each(f func(fs.FileInfo))
	// Text returns the text that was kept for key, if it is valid at a time. The caller must not change it. Keys are
	// compared with ==.
	Text(key any, at time.Time) (text []byte, ok bool)
	// Keep keeps a text for key, which is valid from since to until, both included, if there is memory for it. The caller
	// must not change the text any more.
	Keep(key any, text []byte, since, until time.Time)
}
