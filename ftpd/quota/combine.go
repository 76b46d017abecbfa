package quota

import (
	"context"
	"io/fs"
	"os"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// combining is the view by which files are put together.
type combining struct {
	*view
	upload *upload
	locked map[string]string // the parts' names, and those without links
}

// part is a file that COMB adds to its target.
type part struct {
	at   string // its path, without links
	info fs.FileInfo
}

// Combine puts files together. What the parts hold is free again afterwards, so the target may
// use it, unless another operation claims it. From when the target is published until the parts
// are removed nothing else changes them: else both could stay.
func (v *view) Combine(ctx context.Context, target string, parts []string) error {
	c := &combining{view: v, locked: map[string]string{}}
	create := func(name string, o storage.CreateOptions) (storage.Upload, error) {
		u, err := v.create(name, o, parts)
		if err != nil {
			return nil, err
		}
		for i, p := range u.parts {
			c.locked[parts[i]], _ = v.rel(p.at)
		}
		c.upload = u
		return u, nil
	}
	defer c.end()
	return storage.CombineBy(ctx, c, create, target, parts)
}

// Remove removes a part, whose lock is held since the target was published.
func (c *combining) Remove(name string) error {
	return c.removeLocked(c.locked[name], c.FS.Remove)
}

// end gives up what is claimed of parts that are still there, and their locks.
func (c *combining) end() {
	if c.upload == nil {
		return
	}
	c.upload.release()
	if c.upload.unlock != nil {
		c.upload.unlock()
	}
}

// describe notes the parts, whose locks are held, and what each is counted for. Of what is no file
// that is nothing: of a link only the link is removed.
func (u *upload) describe(paths []string) (sizes []int64) {
	for _, at := range paths {
		name, _ := u.v.rel(at)
		info, now := u.v.there(name)
		if info == nil || !info.Mode().IsRegular() {
			now.bytes = 0
		}
		u.parts, sizes = append(u.parts, part{at, info}), append(sizes, now.bytes)
	}
	return sizes
}

// changed reports whether a part is no longer what it was. The locks of all are held.
func (u *upload) changed() bool {
	for _, p := range u.parts {
		name, _ := u.v.rel(p.at)
		info, _ := u.v.there(name)
		if p.info == nil || info == nil || !os.SameFile(p.info, info) || info.Size() != p.info.Size() || !info.ModTime().Equal(p.info.ModTime()) {
			return true
		}
	}
	return false
}

// paths are those of the parts.
func (u *upload) paths() (all []string) {
	for _, p := range u.parts {
		all = append(all, p.at)
	}
	return all
}
