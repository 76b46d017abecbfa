//go:build linux

package facts

import (
	"io/fs"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// pageEntries is the number of entries in a page, on average: the part of a text that is written anew after a change.
	pageEntries = 128
	// maxTexts is the number of texts that are kept for a page, such as those of LIST and of MLSD.
	maxTexts = 4
)

// Page is a part of a Snapshot: some of its entries, which never change, and texts that were made of them.
type Page struct {
	facts   []fact
	memory  int64 // that it has taken from the account, without texts
	account *account
	holders atomic.Int32 // the number of snapshots that have the page

	mu       sync.Mutex // guards the fields below
	texts    []text
	released bool // no snapshot that is in use has it any more
}

// text is what a page was rendered to.
type text struct {
	key          any
	bytes        []byte
	since, until time.Time
}

// Each calls f for every entry. What f gets is valid until it returns.
func (p *Page) Each(f func(fs.FileInfo)) {
	var info Info
	for i := range p.facts {
		p.facts[i].fill(&info)
		f(&info)
	}
}

// Text returns the text that was kept for key, if it is valid at a time. The caller must not change it. Keys are
// compared with ==.
func (p *Page) Text(key any, at time.Time) (b []byte, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.texts {
		if t := &p.texts[i]; t.key == key && !at.Before(t.since) && !at.After(t.until) {
			return t.bytes, true
		}
	}
	return nil, false
}

// Keep keeps a text, which is valid from since to until, for key, in place of an older one. It must not be changed any more. If there is no
// memory for it, Keep does nothing.
func (p *Page) Keep(key any, b []byte, since, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.texts {
		if p.texts[i].key == key {
			p.forget(i)
			break
		}
	}
	if p.released || !p.account.take(int64(cap(b))) {
		return
	}
	if len(p.texts) == maxTexts {
		p.forget(0)
	}
	p.texts = append(p.texts, text{key, b, since, until})
}

// forget removes a text. The caller holds mu.
func (p *Page) forget(i int) {
	p.account.give(int64(cap(p.texts[i].bytes)))
	p.texts = append(p.texts[:i], p.texts[i+1:]...)
}

// release gives back the page for one of the snapshots that have it, and its memory for the last one.
func (p *Page) release() {
	if p.holders.Add(-1) > 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.texts) > 0 {
		p.forget(0)
	}
	p.account.give(p.memory)
	p.memory, p.released = 0, true
}
