package advertise

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

const (
	// filePoll is the time between two reads of the file.
	filePoll = 250 * time.Millisecond
	// fileSettle is how long new content must stay the same before it is used: the first part of an address may
	// itself be an address.
	fileSettle = 50 * time.Millisecond
)

// File holds the address that a file contains (see config.PodAddressFile), and follows changes of the file. It is
// safe for concurrent use.
type File struct {
	log  *slog.Logger
	name string

	looking sync.Mutex // allows one Look at a time
	seen    atomic.Pointer[content]
}

// content is what was found in the file. It is immutable.
type content struct {
	text []byte
	addr netip.Addr // the zero Addr if there is none
	err  error      // why the file can't be used
}

// NewFile returns a File that has not read its file yet. With an empty name it never has an address.
func NewFile(name string, log *slog.Logger) *File {
	f := &File{log: log, name: name}
	f.seen.Store(&content{})
	return f
}

// Look reads the file now. A file that is missing or empty gives no address. A file that can't be read or parsed
// gives none either; Look logs this once for each change.
func (f *File) Look(ctx context.Context) {
	if f.name == "" {
		return
	}
	f.looking.Lock()
	defer f.looking.Unlock()
	before := f.seen.Load()
	now := f.read()
	if now.err == nil && before.err == nil && bytes.Equal(now.text, before.text) {
		return
	}
	for now.err == nil && !bytes.Equal(now.text, before.text) {
		select {
		case <-time.After(fileSettle):
		case <-ctx.Done():
			return
		}
		again := f.read()
		settled := bytes.Equal(now.text, again.text)
		if now = again; settled {
			break
		}
	}
	if now.err == nil {
		if now.addr, now.err = config.ParsePodAddress(string(now.text)); now.err != nil {
			now.err = fmt.Errorf("%s: %w", f.name, now.err)
		}
	}
	f.seen.Store(now)
	switch {
	case now.err != nil && (before.err == nil || before.err.Error() != now.err.Error()):
		f.log.Warn("the pod's own address can't be used; the address of the configuration is advertised", "error", now.err)
	case now.addr.IsValid() && now.addr != before.addr:
		f.log.Info("advertised address changed", "address", now.addr, "file", f.name)
	case now.err == nil && !now.addr.IsValid() && before.addr.IsValid():
		f.log.Info("the pod has no address of its own any more; the address of the configuration is advertised", "file", f.name)
	}
}

// read returns the file's text, or the error of reading it.
func (f *File) read() *content {
	text, err := os.ReadFile(f.name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &content{err: err}
	}
	return &content{text: text}
}

// Run calls Look again and again until ctx ends.
func (f *File) Run(ctx context.Context) {
	tick := time.NewTicker(filePoll)
	defer tick.Stop()
	for {
		f.Look(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Addr returns the address, or the zero Addr if there is none. It never blocks.
func (f *File) Addr() netip.Addr { return f.seen.Load().addr }

// Err returns why the file can't be used, or nil if it can be used or does not exist.
func (f *File) Err() error { return f.seen.Load().err }
